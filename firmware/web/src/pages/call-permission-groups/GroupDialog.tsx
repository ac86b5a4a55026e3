// A call permission group is added or changed, and tried before it is saved.
import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { path, type PermissionGroup, useRefresh, useRoutes } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { useMayWrite } from '../../api/session'
import { EditDialog, type Stored } from '../../kit/EditDialog'
import { check, field, text } from '../../kit/fields'
import type { Form } from '../../kit/useEdit'
import { judge, type Permission, type Rule } from './judge'
import { PermissionSelect, Rules } from './Rules'
import classes from './permissions.module.css'

interface Values {
  name: string
  description: string
  rules: Rule[]
  default: Permission
  fraud_protection: boolean
}

const NEW: Values = { name: '', description: '', rules: [], default: 'allow', fraud_protection: true }

function values({ name, description, rules, default: otherwise, fraud_protection, etag }: PermissionGroup): Stored<Values> {
  return { etag, values: { name, description, rules, default: otherwise, fraud_protection } }
}

export function GroupDialog({ group, onClose }: { group?: PermissionGroup; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const routes = useRoutes()
  const refresh = useRefresh()
  const prefixes = routes.data?.filter(({ enabled }) => enabled).map(({ prefix }) => prefix)

  async function save(values: Values, etag: string) {
    const rules = values.rules.map(({ prefix, permission }) => ({ prefix: prefix.trim(), permission }))
    const body = { ...values, name: values.name.trim(), rules }
    try {
      if (group) await answer(api.PUT('/api/v1/call-permission-groups/{id}', { params: path(group.id, etag), body }))
      else await answer(api.POST('/api/v1/call-permission-groups', { body }))
    } catch (error) {
      throw inWords(error)
    }
    await refresh()
    return t(group ? 'permissions.saved' : 'permissions.added', { name: body.name })
  }

  const set = <K extends 'rules' | 'default'>(form: Form<Values>, name: K, value: Values[K]) => {
    form.clearFieldError(name)
    form.setFieldValue(name, (() => value) as never)
  }
  const fields = [
    text<Values>('name', { label: t('permissions.name'), maxLength: 128, first: true, autoComplete: 'off' }),
    text<Values>('description', { label: t('permissions.description'), maxLength: 128, autoComplete: 'off' }),
    field<Values, 'rules'>(
      'rules',
      t('permissions.rules'),
      (rules) => rules.map(({ prefix, permission }) => `${prefix} ${t(`permission.${permission}`)}`).join(', '),
      (form) => (
        <Rules
          rules={form.values.rules}
          routes={prefixes?.length ? prefixes : undefined}
          error={form.errors.rules}
          readOnly={!mayWrite}
          onChange={(rules) => set(form, 'rules', rules)}
        />
      ),
    ),
    field<Values, 'default'>(
      'default',
      t('permissions.default'),
      (permission) => t(`permission.${permission}`),
      (form) => (
        <>
          <PermissionSelect shown label={t('permissions.default')} value={form.values.default} onChange={(value) => set(form, 'default', value)} />
          <Try {...form.values} />
        </>
      ),
    ),
    check<Values>('fraud_protection', { label: t('permissions.protected'), hint: t('permissions.protected_hint') }),
  ]
  return (
    <EditDialog<Values>
      title={group ? t('permissions.edit', { name: group.name }) : t('permissions.add')}
      help="call-permission-groups"
      stored={group && values(group)}
      initial={NEW}
      save={save}
      refresh={refresh}
      onClose={onClose}
      readOnly={!mayWrite}
      tabs={[{ id: 'general', label: t('permissions.rules'), fields }]}
    />
  )
}

/** What the rules say of a number, as they are typed. */
function Try({ rules, default: otherwise }: Values) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  const dialled = typed.trim()
  const trimmed = rules.map(({ prefix, permission }) => ({ prefix: prefix.trim(), permission }))
  const { permission, place } = judge(trimmed, otherwise, dialled)
  const what = t(`permission.${permission}`)
  return (
    <div>
      <TextInput
        label={t('permissions.try')}
        inputMode="tel"
        autoComplete="off"
        maxLength={32}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <output className={classes.answer} aria-live="polite">
        {dialled && (place ? t('permissions.by_rule', { what, place }) : t('permissions.by_default', { what }))}
      </output>
    </div>
  )
}

/** What is refused, in words of this page. */
function inWords(error: unknown): Problem {
  const { code, detail, etag, changedBy, retryAfter, errors } = Problem.from(error)
  const words: Record<string, string> = {
    '/name invalid_name': 'permission_name', '/name invalid_text': 'permission_name', 'invalid_number': 'emergency_number_invalid',
  }
  const told = errors.map((fault) => ({ ...fault, code: words[`${fault.pointer} ${fault.code}`] ?? words[fault.code] ?? fault.code }))
  return new Problem({ code, detail, etag, changedBy, retryAfter, errors: told as Problem['errors'] })
}
