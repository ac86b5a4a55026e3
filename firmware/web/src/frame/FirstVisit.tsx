// The first visit: the first account gets its password, and its owner is logged in with it.
import { Alert, Button, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../api/client'
import { Problem } from '../api/problem'
import { keepLanguage, logIn, useSetStart } from '../api/session'
import { language, setLanguage } from '../i18n'
import { ALIKE, NewPasswords } from '../kit/Password'
import { useSubmit } from '../kit/useSubmit'
import { Gatehouse } from './Gatehouse'

export function FirstVisit({ account }: { account: string }) {
  const { t } = useTranslation()
  const setStart = useSetStart()
  const form = useForm({
    initialValues: { password: '', again: '' },
    validate: ALIKE,
  })
  const { submit, busy, trouble } = useSubmit(form, async ({ password }) => {
    try {
      await answer(api.POST('/api/v1/first-visit', { body: { password } }))
    } catch (error) {
      // Somebody was faster.
      if (Problem.from(error).code === 'first_visit_over') return setStart({ is: 'logged-out' })
      throw error
    }
    const chosen = language()
    const session = await logIn(account, password)
    // The account is as new as its password: it gets the language of whoever sets it.
    await setLanguage(chosen)
    setStart({ is: 'logged-in', session: await keepLanguage(chosen).catch(() => session) })
  })
  return (
    <Gatehouse help="first-visit" title={t('first_visit.title')} text={t('first_visit.text', { account })}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {trouble && (
            <Alert color="red" role="alert">
              {trouble}
            </Alert>
          )}
          <TextInput label={t('login.name')} value={account} readOnly autoComplete="username" tabIndex={-1} />
          <NewPasswords form={form} label={t('login.password')} first />
          <Button type="submit" size="md" loading={busy} fullWidth>
            {t('first_visit.set')}
          </Button>
        </Stack>
      </form>
    </Gatehouse>
  )
}
