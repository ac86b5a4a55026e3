// The session ended: the same person logs in again, upon whatever they were doing.
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { onSessionEnd } from '../api/client'
import { Problem } from '../api/problem'
import { logIn, useSession, useSetStart } from '../api/session'
import { Password } from '../kit/Password'
import { useSubmit } from '../kit/useSubmit'

export function LogInAgain() {
  const { t } = useTranslation()
  const { user } = useSession()
  const setStart = useSetStart()
  const wait = useRef<PromiseWithResolvers<unknown> | null>(null)
  const [opened, setOpened] = useState(false)
  const form = useForm({ initialValues: { password: '' } })
  const { submit, busy, trouble } = useSubmit(form, async ({ password }) => {
    const session = await logIn(user.name, password)
    setOpened(false)
    form.reset()
    setStart({ is: 'logged-in', session })
    wait.current?.resolve(undefined)
    wait.current = null
  })

  useEffect(() => {
    onSessionEnd(() => {
      wait.current ??= Promise.withResolvers<unknown>()
      setOpened(true)
      return wait.current.promise
    })
    return () => onSessionEnd(undefined)
  }, [])

  function giveUp() {
    wait.current?.reject(new Problem({ code: 'cancelled' }))
    wait.current = null
    setStart({ is: 'logged-out' })
  }

  return (
    <Modal
      opened={opened}
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
            <Button variant="subtle" color="gray" onClick={giveUp}>
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
