// The same person logs in again, upon whatever they were doing.
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { logIn, type Session, useSession } from '../api/session'
import { Password } from '../kit/Password'
import { useSubmit } from '../kit/useSubmit'

export function LogInAgainDialog({ onDone, onGiveUp }: { onDone: (session: Session) => void; onGiveUp: () => void }) {
  const { t } = useTranslation()
  const { user } = useSession()
  const form = useForm({ initialValues: { password: '' } })
  const { submit, busy, trouble } = useSubmit(form, async ({ password }) => onDone(await logIn(user.name, password)))
  return (
    <Modal
      opened
      onClose={() => undefined}
      closeOnEscape={false}
      closeOnClickOutside={false}
      withCloseButton={false}
      title={t('again.title')}
      size="sm"
      centered
      zIndex={450}
    >
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text size="sm">{t('again.text')}</Text>
          {trouble && (
            <Alert color="red" role="alert">
              {trouble}
            </Alert>
          )}
          <TextInput label={t('login.name')} value={user.name} readOnly autoComplete="username" tabIndex={-1} />
          <Password
            label={t('login.password')}
            autoComplete="current-password"
            data-autofocus
            required
            withAsterisk={false}
            {...form.getInputProps('password')}
          />
          <Group justify="space-between" gap="xs">
            <Button variant="subtle" color="gray" onClick={onGiveUp}>
              {t('again.other')}
            </Button>
            <Button type="submit" loading={busy}>
              {t('login.log_in')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
