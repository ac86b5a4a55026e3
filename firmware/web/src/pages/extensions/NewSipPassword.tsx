// An extension gets another SIP password, made by the box or chosen.
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import type { Extension } from '../../api/configuration'
import { Password } from '../../kit/Password'
import { useSubmit } from '../../kit/useSubmit'
import { showCredentials } from './credentials'

export function NewSipPassword({ extension, onClose }: { extension: Extension; onClose: () => void }) {
  const { t } = useTranslation()
  const form = useForm({ initialValues: { password: '' } })
  const { submit, busy, trouble } = useSubmit(form, async ({ password }) => {
    const { sip_password } = await answer(
      api.POST('/api/v1/extensions/{id}/sip-password', {
        params: { path: { id: extension.id } },
        body: { password: password || null },
      }),
    )
    onClose()
    showCredentials([{ ...extension, sip_password }])
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('sip_password.title', { number: extension.number })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      zIndex={250}
    >
      <form
        onSubmit={(event) => {
          event.stopPropagation()
          submit(event)
        }}
        noValidate
      >
        <Stack gap="md">
          {trouble && (
            <Alert color="red" role="alert">
              {trouble}
            </Alert>
          )}
          <Text size="sm">{t('sip_password.text')}</Text>
          <Password
            label={t('extension.sip_password')}
            placeholder={t('extension.sip_password_made')}
            description={t('extension.sip_password_hint')}
            autoComplete="new-password"
            data-autofocus
            {...form.getInputProps('password')}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={busy}>
              {t('sip_password.set')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
