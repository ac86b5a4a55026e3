// What was to be shown has been removed, by somebody else or long ago.
import { Button, Group, Modal, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

export function Gone({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal opened onClose={onClose} title={t('gone.title')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Text size="sm">{t('gone.text')}</Text>
      <Group justify="flex-end" mt="lg">
        <Button onClick={onClose} data-autofocus>
          {t('action.close')}
        </Button>
      </Group>
    </Modal>
  )
}
