// What to do on a box where nobody has called yet.
import { Button, Paper, SimpleGrid, Text, ThemeIcon, Title, VisuallyHidden } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useLine } from '../../api/live'
import { useMayWrite } from '../../api/session'
import { go } from '../../kit/route'
import { CopyField } from '../../kit/small'
import { serverFields, usePhoneSetup } from '../extensions/server'
import classes from './dashboard.module.css'

const STEPS = ['user', 'extension', 'phone', 'call'] as const
export type Steps = Record<(typeof STEPS)[number], boolean>

export function FirstSteps({ steps }: { steps: Steps }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
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
              <Text size="sm" c="dimmed">
                {t(`steps.${step}_text`)}
              </Text>
              {step === 'phone' && <Settings />}
              {mayWrite && !steps[step] && (step === 'user' || step === 'extension') && (
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

/** What is entered in a phone, besides the user name and password of its extension. */
function Settings() {
  const { exchange } = useLine()
  const { t } = useTranslation()
  const { data } = usePhoneSetup(exchange)
  if (!data) return null
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 3 }} mt="sm" spacing="xs" maw={760}>
        {serverFields(data).map((field) => (
          <CopyField key={field.label} {...field} />
        ))}
      </SimpleGrid>
      {data.only_here && (
        <Text size="sm" mt="xs">
          {t('steps.only_here')}
        </Text>
      )}
    </>
  )
}
