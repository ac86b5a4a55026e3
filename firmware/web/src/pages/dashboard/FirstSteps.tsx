// What to do on a box where nobody has called yet.
import { Button, Paper, Text, ThemeIcon, Title, VisuallyHidden } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useLine } from '../../api/live'
import { useMayWrite } from '../../api/session'
import { go } from '../../kit/route'
import { ServerFields } from '../extensions/ServerFields'
import classes from './dashboard.module.css'

const STEPS = ['user', 'extension', 'phone', 'call'] as const
export type Steps = Record<(typeof STEPS)[number], boolean>

/** `enough`: there are numbers for two phones. */
export function FirstSteps({ steps, enough }: { steps: Steps; enough: boolean }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const { exchange } = useLine()
  const next = STEPS.find((step) => !steps[step])
  return (
    <Paper withBorder component="section" aria-labelledby="first-steps">
      <div className={classes.heading}>
        <Title order={2} id="first-steps">
          {t('steps.title')}
        </Title>
        <Text c="dimmed">{t('steps.text')}</Text>
      </div>
      <ol className={classes.items}>
        {STEPS.map((step, index) => (
          <li key={step} className={classes.item} data-done={steps[step] || undefined}>
            <ThemeIcon variant={step === next ? 'filled' : 'light'} color={steps[step] ? 'teal' : undefined} radius="xl">
              {steps[step] ? <IconCheck size={16} /> : <span className="figures">{index + 1}</span>}
            </ThemeIcon>
            <div>
              <Text fw={550}>
                {t(`steps.${step}`)}
                {steps[step] && <VisuallyHidden> ({t('steps.done')})</VisuallyHidden>}
              </Text>
              {(step !== 'phone' || exchange) && (
                <Text size="sm" c="dimmed">
                  {t(`steps.${step}_text`)}
                </Text>
              )}
              {step === 'phone' && <ServerFields />}
              {mayWrite && !(steps[step] && enough) && (step === 'user' || step === 'extension') && (
                <Button
                  mt="xs"
                  size="xs"
                  variant={step === next ? 'filled' : 'default'}
                  onClick={() => void go(step === 'user' ? '/users/new' : '/extensions/new')}
                >
                  {step === 'user' ? t('user.add') : t('extension.add')}
                </Button>
              )}
            </div>
          </li>
        ))}
      </ol>
    </Paper>
  )
}
