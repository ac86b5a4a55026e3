// One's own account: password, language, how the pages look.
import { Alert, Button, Paper, Radio, SegmentedControl, Stack, Text, TextInput, Title, useMantineColorScheme } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useChooseLanguage, useSession } from '../../api/session'
import { LANGUAGES, type Language, language } from '../../i18n'
import { Page } from '../../kit/Page'
import { ALIKE, NewPasswords, Password } from '../../kit/Password'
import { done } from '../../kit/toast'
import { useSubmit } from '../../kit/useSubmit'

const SCHEMES = ['auto', 'light', 'dark'] as const

export default function Account() {
  const { t } = useTranslation()
  const { user } = useSession()
  const choose = useChooseLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Page id="account" title={t('account.title')}>
      <Stack maw={520} gap="lg">
        <Paper withBorder p="lg">
          <Title order={2}>{user.full_name || user.name}</Title>
          <Text size="sm" c="dimmed">
            {user.name} · {t(`role.${user.role}`)}
          </Text>
        </Paper>
        <Paper withBorder p="lg">
          <Stack>
            <Title order={2}>{t('account.page')}</Title>
            <Radio.Group
              label={t('account.language')}
              description={t('account.kept')}
              value={language()}
              onChange={(value) => void choose(value as Language)}
            >
              <Stack gap="xs" mt="xs">
                {LANGUAGES.map((one) => (
                  <Radio key={one} value={one} label={t(`language.${one}`)} lang={one} />
                ))}
              </Stack>
            </Radio.Group>
            <div>
              <Text size="sm" fw={500} mb={4} id="scheme">
                {t('account.scheme')}
              </Text>
              <SegmentedControl
                aria-labelledby="scheme"
                value={colorScheme}
                onChange={(scheme) => setColorScheme(scheme as (typeof SCHEMES)[number])}
                data={SCHEMES.map((scheme) => ({ value: scheme, label: t(`scheme.${scheme}`) }))}
              />
            </div>
          </Stack>
        </Paper>
        <Paper withBorder p="lg">
          <OwnPassword name={user.name} />
        </Paper>
      </Stack>
    </Page>
  )
}

function OwnPassword({ name }: { name: string }) {
  const { t } = useTranslation()
  const form = useForm({
    initialValues: { current: '', password: '', again: '' },
    validate: ALIKE,
  })
  const { submit, busy, trouble } = useSubmit(form, async ({ current, password }) => {
    await answer(api.PUT('/api/v1/session/password', { body: { current, password } }))
    form.reset()
    done(t('account.password_changed'))
  })
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <div>
          <Title order={2}>{t('account.password')}</Title>
          <Text size="sm" c="dimmed">
            {t('account.password_text')}
          </Text>
        </div>
        {trouble && (
          <Alert color="red" role="alert">
            {trouble}
          </Alert>
        )}
        <TextInput value={name} readOnly autoComplete="username" display="none" aria-hidden />
        <Password label={t('password.current')} autoComplete="current-password" {...form.getInputProps('current')} />
        <NewPasswords form={form} />
        <Button type="submit" loading={busy} style={{ alignSelf: 'flex-start' }}>
          {t('account.password_change')}
        </Button>
      </Stack>
    </form>
  )
}
