// Secrets that the box tells once: shown until they are taken, from anywhere by `showOnce({…})`.
import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyField, SecretOnce } from './small'

export interface Once {
  title: string
  notice: string
  text: string
  groups: { title?: string; fields: { label: string; value: string; secret?: boolean }[] }[]
}

let shown: Once | null = null
const watchers = new Set<() => void>()

function set(value: Once | null) {
  shown = value
  for (const watcher of watchers) watcher()
}

export const showOnce = set

/** Where they appear; the frame has one. */
export function OnceHost() {
  const { t } = useTranslation()
  const once = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => shown,
  )
  if (!once) return null
  return (
    <Modal opened onClose={() => set(null)} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} title={once.title} zIndex={300}>
      <SecretOnce title={once.notice} text={once.text}>
        {once.groups.map(({ title, fields }, index) => (
          <Stack key={title ?? index} gap="xs">
            {title && (
              <Text fw={600} size="sm">
                {title}
              </Text>
            )}
            {fields.map((field) => (
              <CopyField key={field.label} {...field} />
            ))}
          </Stack>
        ))}
        <Group justify="flex-end" mt="xs">
          <Button onClick={() => set(null)}>{t('once.taken')}</Button>
        </Group>
      </SecretOnce>
    </Modal>
  )
}
