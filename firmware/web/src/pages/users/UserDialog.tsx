// A user is added or changed, with the extensions that are the user's.
import { Button, Checkbox, Group, Radio, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconKey } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { path, useExtensions, useRefresh, type User } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { LANGUAGES, language } from '../../i18n'
import { EditDialog, type Stored } from '../../kit/EditDialog'
import { Password } from '../../kit/Password'
import { NewPassword } from './NewPassword'
import { type Own, Extensions } from './Extensions'
import { assign } from './assign'

const ROLES = ['user', 'read_only', 'read_write'] as const

export interface Values {
  name: string
  full_name: string
  email: string
  password: string
  language: Schemas['Language']
  enabled: boolean
  role: Schemas['Role']
  extensions: Own[]
}

function values(user: User): Stored<Values> {
  const { name, full_name, email, language, enabled, role, extensions } = user
  return {
    // The extensions are stored apart, yet seen together.
    etag: `${user.etag} ${extensions.map(({ id }) => id).join()}`,
    values: { name, full_name, email: email ?? '', password: '', language, enabled, role, extensions },
  }
}

export function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const all = useExtensions()
  const refresh = useRefresh()
  const [asking, setAsking] = useState(false)
  // Where the extensions of a new user are refused, the user is there already.
  const added = useRef<User | null>(null)
  if (!all.data) return null

  async function save({ extensions, password, ...rest }: Values, etag: string) {
    const body = { ...rest, email: rest.email || null }
    const before = user ?? added.current
    const tag = user ? etag.split(' ')[0]! : (before?.etag ?? '*')
    const stored = before
      ? await answer(api.PUT('/api/v1/users/{id}', { params: path(before.id, tag), body }))
      : await answer(api.POST('/api/v1/users', { body: { ...body, password: password || null } }))
    if (!user) added.current = stored
    await assign(stored, extensions).finally(refresh)
    return user ? t('user.saved', { name: rest.name }) : t('user.added', { name: rest.name })
  }

  return (
    <>
      <EditDialog<Values>
        title={user ? t('user.edit', { name: user.name }) : t('user.add')}
        help="user"
        stored={user && values(user)}
        initial={{
          name: '',
          full_name: '',
          email: '',
          password: '',
          language: language(),
          enabled: true,
          role: 'user',
          extensions: [],
        }}
        labels={{
          name: t('user.name'),
          full_name: t('user.full_name'),
          email: t('user.email'),
          password: t('user.password'),
          language: t('user.language'),
          enabled: t('user.enabled'),
          role: t('user.role'),
          extensions: t('user.extensions'),
        }}
        show={(field, value) => {
          if (field === 'extensions') return (value as Own[]).map(({ number }) => number).join(', ')
          if (field === 'role') return t(`role.${value as Values['role']}`)
          if (field === 'language') return t(`language.${value as Values['language']}`)
          return typeof value === 'boolean' ? t(value ? 'word.yes' : 'word.no') : String(value ?? '')
        }}
        save={save}
        refresh={refresh}
        onClose={onClose}
        readOnly={!mayWrite}
        tabs={(form) => [
          {
            id: 'general',
            label: t('user.general'),
            fields: ['enabled', 'name', 'full_name', 'email', 'password', 'language'],
            body: (
              <>
                <Checkbox
                  label={t('user.enabled')}
                  description={t('user.enabled_hint')}
                  {...form.getInputProps('enabled', { type: 'checkbox' })}
                />
                <TextInput
                  label={t('user.name')}
                  description={t('user.name_hint')}
                  maxLength={64}
                  spellCheck={false}
                  autoCapitalize="none"
                  autoComplete="off"
                  data-autofocus
                  {...form.getInputProps('name')}
                />
                <TextInput
                  label={t('user.full_name')}
                  maxLength={128}
                  autoComplete="off"
                  {...form.getInputProps('full_name')}
                />
                <TextInput
                  label={t('user.email')}
                  type="email"
                  maxLength={254}
                  autoComplete="off"
                  {...form.getInputProps('email')}
                />
                {!user && (
                  <Password
                    label={t('user.password')}
                    description={t('user.password_hint')}
                    autoComplete="new-password"
                    {...form.getInputProps('password')}
                  />
                )}
                {user && mayWrite && (
                  <div>
                    <Text size="sm" fw={500} mb={4}>
                      {t('user.password')}
                    </Text>
                    <Group gap="sm">
                      <Button variant="default" leftSection={<IconKey size={16} />} onClick={() => setAsking(true)}>
                        {user.has_password ? t('new_password.change') : t('new_password.set')}
                      </Button>
                      {!user.has_password && (
                        <Text size="sm" c="dimmed">
                          {t('users.no_password')}
                        </Text>
                      )}
                    </Group>
                  </div>
                )}
                <Select
                  label={t('user.language')}
                  description={t('user.language_hint')}
                  maw={220}
                  allowDeselect={false}
                  data={LANGUAGES.map((one) => ({ value: one, label: t(`language.${one}`) }))}
                  {...form.getInputProps('language')}
                />
              </>
            ),
          },
          {
            id: 'extensions',
            label: t('user.extensions'),
            fields: ['extensions'],
            body: (
              <Extensions
                all={all.data}
                own={form.values.extensions}
                error={form.errors.extensions}
                onChange={(own) => {
                  form.clearFieldError('extensions')
                  form.setFieldValue('extensions', () => own)
                }}
                readOnly={!mayWrite}
              />
            ),
          },
          {
            id: 'advanced',
            label: t('user.advanced'),
            fields: ['role'],
            body: (
              <Radio.Group label={t('user.role')} description={t('user.role_hint')} {...form.getInputProps('role')}>
                <Stack gap="sm" mt="sm">
                  {ROLES.map((role) => (
                    <Radio key={role} value={role} label={t(`role.${role}`)} description={t(`role_hint.${role}`)} />
                  ))}
                </Stack>
              </Radio.Group>
            ),
          },
        ]}
      />
      {asking && user && <NewPassword user={user} onClose={() => setAsking(false)} />}
    </>
  )
}
