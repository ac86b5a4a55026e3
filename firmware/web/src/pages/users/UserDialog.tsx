// A user is added or changed, with the extensions that are the user's.
import { Button, Radio, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Extension, path, useExtensions, useRefresh, type User } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { useMayWrite } from '../../api/session'
import { LANGUAGES, language } from '../../i18n'
import { EditDialog, type Stored } from '../../kit/EditDialog'
import { AnotherPassword } from '../../kit/Password'
import { check, choice, field, NAME, secret, text } from '../../kit/fields'
import { showCredentials } from '../extensions/credentials'
import { loginName } from './loginName'
import { NewPassword } from './NewPassword'
import { type Own, Extensions } from './Extensions'
import { byRow } from './faults'
import { RingingRules } from './RingingRules'
import { ringingOf, type RingingValues, rulesOf } from './ringing'

const plain = (value: string) => value
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
  ringing: RingingValues
}

function values(user: User, all: Extension[]): Stored<Values> {
  const { name, full_name, email, language, enabled, role, extensions } = user
  return {
    etag: user.etag,
    values: { name, full_name, email: email ?? '', password: '', language, enabled, role, extensions, ringing: ringingOf(user.ringing, all) },
  }
}

export function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const all = useExtensions()
  const refresh = useRefresh()
  const [asking, setAsking] = useState(false)
  // Of the new extensions, by their places.
  const [faults, setFaults] = useState<Record<string, string>>({})
  if (!all.data) return null

  async function save({ extensions, password, ringing, ...rest }: Values, etag: string) {
    setFaults({})
    const body = {
      ...rest,
      email: rest.email || null,
      extensions: extensions.flatMap(({ id }) => id ?? []),
      new_extensions: extensions.filter(({ id }) => id === null).map(({ number }) => ({ number })),
    }
    try {
      const { new_extensions } = user
        ? await answer(api.PUT('/api/v1/users/{id}', { params: path(user.id, etag), body: { ...body, ringing: rulesOf(ringing, all.data ?? []) } }))
        : await answer(api.POST('/api/v1/users', { body: { ...body, password: password || null } }))
      await showCredentials(new_extensions)
    } catch (error) {
      const { rows, rest } = byRow(Problem.from(error))
      setFaults(rows)
      throw rest
    }
    await refresh()
    return user ? t('user.saved', { name: rest.name }) : t('user.added', { name: rest.name })
  }

  const another = () =>
    user &&
    mayWrite && (
      <AnotherPassword
        label={t('user.password')}
        action={user.has_password ? t('new_password.change') : t('new_password.set')}
        note={user.has_password || user.role === 'user' ? undefined : t('users.no_password')}
        onClick={() => setAsking(true)}
      />
    )
  const general = [
    check<Values>('enabled', { label: t('user.enabled'), hint: t('user.enabled_hint') }),
    field<Values, 'full_name'>('full_name', t('user.full_name'), plain, (form) => (
      <TextInput
        label={t('user.full_name')}
        maxLength={128}
        autoComplete="off"
        data-autofocus
        {...form.getInputProps('full_name')}
        onChange={(event) => {
          const { value } = event.currentTarget
          // The user name follows until somebody writes another.
          const { name, full_name } = form.values
          if (!user && name === loginName(full_name)) form.setFieldValue('name', loginName(value))
          form.getInputProps('full_name').onChange(event)
        }}
      />
    )),
    field<Values, 'name'>('name', t('user.name'), plain, (form) => {
      const proposed = loginName(form.values.name)
      const differs = /[^A-Za-z0-9._-]/.test(form.values.name) && proposed !== ''
      return (
        <div>
          <TextInput label={t('user.name')} description={t('user.name_hint')} maxLength={64} {...NAME} {...form.getInputProps('name')} />
          {differs && (
            <Button variant="subtle" size="compact-sm" mt={4} onClick={() => form.setFieldValue('name', proposed)}>
              {t('user.name_take', { name: proposed })}
            </Button>
          )}
        </div>
      )
    }),
    text<Values>('email', { label: t('user.email'), type: 'email', maxLength: 254, autoComplete: 'off' }),
    user
      ? field<Values, 'password'>('password', t('user.password'), () => '', another)
      : secret<Values>('password', {
          label: t('user.password'),
          hint: ({ role }) => (role === 'user' ? t('user.password_hint_user') : t('user.password_hint')),
        }),
    choice<Values, 'language'>('language', {
      label: t('user.language'),
      hint: t('user.language_hint'),
      options: LANGUAGES.map((one) => ({ value: one, label: t(`language.${one}`) })),
      width: 220,
    }),
  ]
  const extensions = field<Values, 'extensions'>(
    'extensions',
    t('user.extensions'),
    (own) => own.map(({ number }) => number).join(', '),
    (form) => (
      <Extensions
        all={all.data}
        own={form.values.extensions}
        error={form.errors.extensions}
        faults={faults}
        onChange={(own) => {
          setFaults({})
          form.clearFieldError('extensions')
          form.setFieldValue('extensions', () => own)
        }}
        readOnly={!mayWrite}
      />
    ),
  )
  const ringing = field<Values, 'ringing'>('ringing', t('ringing.title'), () => '', (form) => (
    <RingingRules
      all={all.data}
      own={form.values.extensions.map(({ number }) => number)}
      values={form.values.ringing}
      error={form.errors.ringing}
      onChange={(ringing) => {
        form.clearFieldError('ringing')
        form.setFieldValue('ringing', () => ringing)
      }}
      readOnly={!mayWrite}
    />
  ))
  const role = field<Values, 'role'>('role', t('user.role'), (role) => t(`role.${role}`), (form) => (
    <Radio.Group label={t('user.role')} description={t('user.role_hint')} {...form.getInputProps('role')}>
      <Stack gap="sm" mt="sm">
        {ROLES.map((role) => (
          <Radio key={role} value={role} label={t(`role.${role}`)} description={t(`role_hint.${role}`)} />
        ))}
      </Stack>
    </Radio.Group>
  ))
  return (
    <>
      <EditDialog<Values>
        title={user ? t('user.edit', { name: user.name }) : t('user.add')}
        help="user"
        stored={user && values(user, all.data)}
        initial={{
          name: '', full_name: '', email: '', password: '', language: language(), enabled: true, role: 'user', extensions: [],
          ringing: ringingOf(undefined, all.data),
        }}
        save={save}
        refresh={refresh}
        onClose={onClose}
        readOnly={!mayWrite}
        covered={asking}
        tabs={[
          { id: 'general', label: t('user.general'), fields: general },
          { id: 'extensions', label: t('user.extensions'), text: t('user.extensions_text'), fields: [extensions] },
          ...(user ? [{ id: 'ringing', label: t('ringing.title'), text: t('ringing.text'), fields: [ringing] }] : []),
          { id: 'advanced', label: t('user.advanced'), fields: [role] },
        ]}
      />
      {asking && user && <NewPassword user={user} onClose={() => setAsking(false)} />}
    </>
  )
}
