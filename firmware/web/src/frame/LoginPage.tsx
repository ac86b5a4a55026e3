// Logging in.
import { Alert, Button, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { logIn, useSetStart } from '../api/session'
import { Password } from '../kit/Password'
import { useSubmit } from '../kit/useSubmit'
import { Gatehouse } from './Gatehouse'

export function LoginPage() {
  const { t } = useTranslation()
  const setStart = useSetStart()
  const form = useForm({ initialValues: { name: '', password: '' } })
  const { submit, busy, trouble } = useSubmit(form, async ({ name, password }) =>
    setStart({ is: 'logged-in', session: await logIn(name.trim(), password) }),
  )
  return (
    <Gatehouse help="login" title={t('login.title')}>
      <form onSubmit={submit}>
        <Stack gap="md">
          {trouble && (
            <Alert color="red" role="alert">
              {trouble}
            </Alert>
          )}
          <TextInput
            label={t('login.name')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
            withAsterisk={false}
            {...form.getInputProps('name')}
          />
          <Password
            label={t('login.password')}
            autoComplete="current-password"
            required
            withAsterisk={false}
            {...form.getInputProps('password')}
          />
          <Button type="submit" size="md" loading={busy} fullWidth>
            {t('login.log_in')}
          </Button>
        </Stack>
      </form>
    </Gatehouse>
  )
}
