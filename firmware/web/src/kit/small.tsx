// Small parts: a state in a word and a colour, text to copy, a secret that is shown once.
import { ActionIcon, Alert, Badge, Code, CopyButton, Group, Stack, Text, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy, IconKey } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './small.module.css'

export type State = 'good' | 'quiet' | 'warn' | 'bad' | 'busy'

/** A state: a dot of its colour, and a word, since colour alone tells nothing to some. */
export function StatusBadge({ state, children, title }: { state: State; children: ReactNode; title?: string }) {
  return (
    <Badge
      variant="transparent"
      className={classes.status}
      data-state={state}
      title={title}
      leftSection={<span className={classes.dot} aria-hidden />}
    >
      {children}
    </Badge>
  )
}

/** A value with a button that copies it. */
export function CopyField({ label, value, secret }: { label: string; value: string; secret?: boolean }) {
  const { t } = useTranslation()
  return (
    <div className={classes.copy}>
      <Text size="xs" c="dimmed" component="span">
        {label}
      </Text>
      <Group gap={4} wrap="nowrap" justify="space-between">
        <Code className={classes.value} data-secret={secret || undefined}>
          {value}
        </Code>
        <CopyButton value={value} timeout={1500}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? t('copy.done') : t('copy.copy', { what: label })}>
              <ActionIcon
                variant="subtle"
                color={copied ? 'teal' : 'gray'}
                onClick={copy}
                aria-label={t('copy.copy', { what: label })}
              >
                {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </Group>
    </div>
  )
}

/** Something the box tells once and never again. */
export function SecretOnce({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <Stack gap="sm">
      <Alert icon={<IconKey size={18} />} color="yellow" variant="light" title={title}>
        {text}
      </Alert>
      {children}
    </Stack>
  )
}
