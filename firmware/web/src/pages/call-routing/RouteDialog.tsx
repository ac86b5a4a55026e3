// A route of outgoing calls is added or changed.
import { TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Interface, path, type Route, useExtensions, useRefresh } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { EditDialog, type Stored } from '../../kit/EditDialog'
import { Ordered } from '../../kit/Ordered'
import { check, field, text, NAME } from '../../kit/fields'
import type { Form } from '../../kit/useEdit'
import { atFields } from './body'
import { PrefixOverlap } from './Overlap'
import { Rewriting } from './Rewriting'
import { AS_IT_IS, begin, inWords, type Rules } from './rewrite'
import { conditionText } from './condition'

interface Values {
  enabled: boolean
  prefix: string
  description: string
  interfaces: number[]
  /** Nothing where nobody has written rules: those that the exchange begins with. */
  outgoing: Rules | null
}

const NEW: Values = { enabled: true, prefix: '', description: '', interfaces: [], outgoing: null }

function values({ enabled, prefix, description, interfaces, outgoing, etag }: Route): Stored<Values> {
  return { etag, values: { enabled, prefix, description, interfaces, outgoing } }
}

interface Props {
  route?: Route
  interfaces: Interface[]
  onClose: () => void
}

export function RouteDialog({ route, interfaces, onClose }: Props) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const extensions = useExtensions()
  const refresh = useRefresh()
  const partner = ({ interfaces: [first] }: Values): Schemas['Partner'] | undefined => interfaces.find(({ id }) => id === first)?.partner
  const rules = (values: Values): Rules =>
    values.outgoing ?? { called: begin(values.prefix.trim(), partner(values)), calling: AS_IT_IS }

  async function save(values: Values, etag: string) {
    const prefix = values.prefix.trim()
    const body = { ...values, prefix, outgoing: rules(values) }
    try {
      if (route) await answer(api.PUT('/api/v1/routes/{id}', { params: path(route.id, etag), body }))
      else await answer(api.POST('/api/v1/routes', { body }))
    } catch (error) {
      throw atFields(error)
    }
    await refresh()
    return route ? t('route.saved', { prefix: prefixText(prefix, t('route.any')) }) : t('route.added', { prefix: prefixText(prefix, t('route.any')) })
  }

  const set = <K extends 'interfaces' | 'outgoing'>(form: Form<Values>, name: K, value: Values[K]) => {
    form.clearFieldError(name)
    form.setFieldValue(name, (() => value) as never)
  }
  const general = [
    check<Values>('enabled', { label: t('route.enabled'), hint: t('route.enabled_hint') }),
    field<Values, 'prefix'>('prefix', t('route.prefix'), (prefix) => prefix, (form) => (
      <div>
        <TextInput
          label={t('route.prefix')}
          description={t('route.prefix_hint')}
          inputMode="tel"
          maxLength={32}
          data-autofocus
          styles={{ wrapper: { maxWidth: 220 } }}
          {...NAME}
          {...form.getInputProps('prefix')}
        />
        <PrefixOverlap prefix={form.values.prefix} extensions={extensions.data ?? []} />
      </div>
    )),
    text<Values>('description', { label: t('route.description'), maxLength: 128, autoComplete: 'off' }),
    field<Values, 'interfaces'>(
      'interfaces',
      t('route.interfaces'),
      (chosen) => chosen.map((id) => interfaces.find((one) => one.id === id)?.name ?? id).join(', '),
      (form) => (
        <Ordered
          label={t('route.interfaces')}
          hint={t('route.interfaces_hint')}
          items={form.values.interfaces}
          options={interfaces.map((one) => ({
            value: one.id,
            label: one.condition === 'ready' ? one.name : `${one.name} – ${conditionText(one, t)}`,
          }))}
          addLabel={t('route.interface_add')}
          error={form.errors.interfaces}
          readOnly={!mayWrite}
          onChange={(chosen) => set(form, 'interfaces', chosen)}
        />
      ),
    ),
  ]
  const outgoing = [
    field<Values, 'outgoing'>(
      'outgoing',
      t('route.rewriting'),
      (rules) => [inWords(rules?.called ?? {}, t), inWords(rules?.calling ?? {}, t)].filter(Boolean).join('; '),
      (form) => (
        <Rewriting
          way="outgoing"
          rules={rules(form.values)}
          called={`${form.values.prefix.trim()}5550199`}
          calling={extensions.data?.[0]?.number ?? '201'}
          error={form.errors.outgoing}
          onChange={(rules) => set(form, 'outgoing', rules)}
        />
      ),
    ),
  ]
  return (
    <EditDialog<Values>
      title={route ? t('route.edit', { prefix: prefixText(route.prefix, t('route.any')) }) : t('route.add')}
      help="route"
      stored={route && values(route)}
      initial={{ ...NEW, interfaces: interfaces.length === 1 ? [interfaces[0]!.id] : [] }}
      save={save}
      refresh={refresh}
      onClose={onClose}
      readOnly={!mayWrite}
      tabs={[
        { id: 'general', label: t('route.general'), fields: general },
        { id: 'rewriting', label: t('route.rewriting'), text: t('route.rewriting_text'), fields: outgoing },
      ]}
    />
  )
}

/** An empty prefix fits every number. */
export function prefixText(prefix: string, any: string): string {
  return prefix === '' ? any : prefix
}
