// A user gets another password.
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useRefresh, type User } from '../../api/configuration'
import { Password } from '../../kit/Password'
import { done } from '../../kit/toast'
import { useSubmit } from '../../kit/useSubmit'

export function NewPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const form = useForm({
    initialValues: { password: '', again: '' },
    validate: { again: (again, { password }) => (again === password ? null : t('password.differ')) },
  })
  const { submit, busy, trouble } = useSubmit(form, async ({ password }) => {
    const params = { path: { id: user.id } }
    await answer(api.PUT('/api/v1/users/{id}/password', { params, body: { password } }))
    done(t('new_password.done', { name: user.name }))
    await refresh()
    onClose()
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('new_password.title', { name: user.name })}
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
          <Text size="sm">{t('new_password.text')}</Text>
          <Password
            label={t('password.new')}
            description={t('password.rule')}
            autoComplete="new-password"
            data-autofocus
            {...form.getInputProps('password')}
          />
          <Password label={t('password.again')} autoComplete="new-password" {...form.getInputProps('again')} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={busy}>
              {t('new_password.set')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
