// Secrets that the box tells once: shown until they are taken, from anywhere by `showOnce({…})`.
import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { host } from './host'
import { CopyField, SecretOnce } from './small'

export interface Once {
  title: string
  notice: string
  text: string
  groups: { title?: string; fields: { label: string; value: string; secret?: boolean }[] }[]
}

/** Whoever calls this has the dialog with it: what is told once must not wait for the network. */
export function showOnce(once: Once) {
  host('once', <OnceDialog once={once} onClose={() => host('once', null)} />)
}

function OnceDialog({ once, onClose }: { once: Once; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal opened onClose={onClose} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} title={once.title} zIndex={300}>
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
          <Button onClick={onClose}>{t('once.taken')}</Button>
        </Group>
      </SecretOnce>
    </Modal>
  )
}
