// An interface is changed.
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { type Interface, path, useExtensions, useRefresh } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { EditDialog } from '../../kit/EditDialog'
import { codecs, srtp } from '../../kit/codecs'
import { check, choice, field, NAME, secret, text } from '../../kit/fields'
import { atFields, bodyOf, choices, type InterfaceValues as Values, NEW, valuesOf } from './body'
import { Details } from './condition'
import { Numbers } from './Numbers'
import { Rewriting } from './Rewriting'
import { inWords, sample } from './rewrite'

const PARTNERS = ['provider', 'exchange'] as const
const TRANSPORTS = ['udp', 'tcp', 'tls'] as const
const IDENTITIES = ['from', 'asserted_identity', 'remote_party_id'] as const

export function InterfaceDialog({ interface: row, onClose }: { interface: Interface; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const extensions = useExtensions()
  const refresh = useRefresh()
  if (!extensions.data) return null
  const all = extensions.data

  async function save(values: Values, etag: string) {
    try {
      await answer(api.PUT('/api/v1/interfaces/{id}', { params: path(row.id, etag), body: bodyOf(values) }))
    } catch (error) {
      throw atFields(error)
    }
    await refresh()
    return t('interface.saved', { name: values.name })
  }

  const general = [
    check<Values>('enabled', { label: t('interface.enabled'), hint: t('interface.enabled_hint') }),
    text<Values>('name', { label: t('interface.name'), hint: t('interface.name_hint'), maxLength: 64, first: true, ...NAME }),
    choice<Values, 'partner'>('partner', {
      label: t('interface.partner'), options: PARTNERS.map((one) => ({ value: one, label: t(`partner.${one}`) })), width: 260,
    }),
    choice<Values, 'operator'>('operator', {
      label: t('interface.operator'), hint: t('interface.operator_hint'), options: choices(all), none: t('interface.nobody'), search: true,
    }),
  ]
  const account = [
    text<Values>('host', { label: t('interface.host'), hint: t('interface.host_hint'), maxLength: 253, ...NAME }),
    text<Values>('port', {
      label: t('interface.port'), hint: t('interface.port_hint'), inputMode: 'numeric', maxLength: 5, styles: { wrapper: { maxWidth: 120 } }, ...NAME,
    }),
    text<Values>('username', { label: t('interface.username'), hint: t('interface.username_hint'), maxLength: 64, ...NAME }),
    secret<Values>('password', {
      label: t('interface.password'),
      hint: row.server.has_password ? t('interface.password_kept') : undefined,
    }),
    ...(row.server.has_password ? [check<Values>('no_password', { label: t('interface.no_password') })] : []),
    check<Values>('register', { label: t('interface.register'), hint: t('interface.register_hint') }),
  ]
  const numbers = [
    field<Values, 'numbers'>(
      'numbers',
      t('interface.numbers'),
      (numbers) => numbers.map(({ number }) => number).join(', '),
      (form) => (
        <Numbers
          numbers={form.values.numbers}
          extensions={all}
          otherwise={t('numbers.otherwise')}
          error={form.errors.numbers}
          readOnly={!mayWrite}
          onChange={(numbers) => {
            form.clearFieldError('numbers')
            form.setFieldValue('numbers', () => numbers)
          }}
        />
      ),
    ),
  ]
  const incoming = [
    field<Values, 'incoming'>(
      'incoming',
      t('interface.rewriting'),
      ({ called, calling }) => [inWords(called ?? {}, t), inWords(calling ?? {}, t)].filter(Boolean).join('; '),
      (form) => (
        <Rewriting
          way="incoming"
          rules={form.values.incoming}
          called={sample(form.values.numbers[0]?.number || '5550100')}
          calling="5550399"
          error={form.errors.incoming}
          onChange={(rules) => {
            form.clearFieldError('incoming')
            form.setFieldValue('incoming', () => rules)
          }}
        />
      ),
    ),
  ]
  const advanced = [
    text<Values>('user_id', { label: t('interface.user_id'), hint: t('interface.user_id_hint'), maxLength: 64, ...NAME }),
    choice<Values, 'transport'>('transport', {
      label: t('interface.transport'), options: TRANSPORTS.map((one) => ({ value: one, label: one.toUpperCase() })), width: 120,
    }),
    text<Values>('external_address', {
      label: t('interface.external_address'), hint: t('interface.external_address_hint'), maxLength: 45, ...NAME,
    }),
    choice<Values, 'identity'>('identity', {
      label: t('interface.identity'), hint: t('interface.identity_hint'),
      options: IDENTITIES.map((one) => ({ value: one, label: t(`identity.${one}`) })),
    }),
    codecs<Values>(!mayWrite),
    srtp<Values>(),
  ]
  return (
    <EditDialog<Values>
      title={t('interface.edit', { name: row.name })}
      help="interface"
      stored={{ etag: row.etag, values: valuesOf(row) }}
      initial={NEW}
      save={save}
      refresh={refresh}
      onClose={onClose}
      readOnly={!mayWrite}
      tabs={[
        { id: 'general', label: t('interface.general'), fields: general, more: <Details of={row} /> },
        { id: 'account', label: t('interface.account'), fields: account },
        { id: 'numbers', label: t('interface.numbers'), text: t('interface.numbers_text'), fields: numbers },
        { id: 'incoming', label: t('interface.rewriting'), text: t('interface.rewriting_text'), fields: incoming },
        { id: 'advanced', label: t('interface.advanced'), fields: advanced },
      ]}
    />
  )
}
