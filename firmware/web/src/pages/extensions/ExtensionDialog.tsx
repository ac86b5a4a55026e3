// An extension is added or changed.
import { Alert, TextInput } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Extension, path, suggestNumber, usePermissionGroups, useRefresh, useUsers } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { EditDialog, type Stored } from '../../kit/EditDialog'
import { AnotherPassword } from '../../kit/Password'
import { codecs, srtp, USUAL_CODECS } from '../../kit/codecs'
import { check, choice, field, NAME, secret, text } from '../../kit/fields'
import { NumberOverlap } from '../call-routing/Overlap'
import { CallerName } from './CallerName'
import { CallerNumber } from './CallerNumber'
import { Phones } from './Phones'
import { ServerFields } from './ServerFields'
import { isGuessable } from './strength'
import { NewSipPassword } from './NewSipPassword'
import { showCredentials } from './credentials'

type Codec = Schemas['Codec']

const plain = (value: string) => value

interface Values {
  number: string
  description: string
  user: number | null
  caller_name: string | null
  caller_id: Schemas['CallerId']
  enabled: boolean
  sip_username: string
  sip_password: string
  codecs: Codec[]
  srtp: Schemas['Srtp']
  permission_group: number | null
}

const NEW: Values = {
  number: '', description: '', user: null, caller_name: null, caller_id: { show: 'own' }, enabled: true, sip_username: '', sip_password: '',
  codecs: USUAL_CODECS, srtp: 'offered', permission_group: null,
}

function values({ etag, number, description, user = null, caller_name = null, ...rest }: Extension): Stored<Values> {
  const { caller_id, enabled, sip_username, codecs, srtp, permission_group = null } = rest
  const values = { number, description, user, caller_name, caller_id, enabled, sip_username, sip_password: '', codecs, srtp, permission_group }
  return { etag, values }
}

export function ExtensionDialog({ extension, onClose }: { extension?: Extension; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const users = useUsers()
  const groups = usePermissionGroups()
  const refresh = useRefresh()
  const [asking, setAsking] = useState(false)
  const suggested = useQuery({
    queryKey: ['suggestion'],
    queryFn: () => suggestNumber().catch(() => ''),
    enabled: !extension,
    gcTime: 0,
    staleTime: 0,
  })
  if (!users.data || groups.isPending || (!extension && suggested.data === undefined)) return null

  async function save({ sip_password, ...rest }: Values, etag: string) {
    const body = { ...rest, caller_name: rest.caller_name?.trim() || null }
    if (extension) {
      await answer(api.PUT('/api/v1/extensions/{id}', { params: path(extension.id, etag), body }))
    } else {
      const whole = { ...body, sip_username: rest.sip_username || null, sip_password: sip_password || null }
      await showCredentials([await answer(api.POST('/api/v1/extensions', { body: whole }))])
    }
    await refresh()
    return extension ? t('extension.saved', { number: rest.number }) : undefined
  }

  const people = users.data.map(({ id, name, full_name }) => ({ value: id, label: full_name ? `${full_name} (${name})` : name }))
  const general = [
    check<Values>('enabled', { label: t('extension.enabled'), hint: t('extension.enabled_hint') }),
    field<Values, 'number'>('number', t('extension.number'), plain, (form) => (
      <div>
        <TextInput
          label={t('extension.number')}
          description={extension ? undefined : t('extension.number_hint')}
          inputMode="numeric"
          maxLength={16}
          data-autofocus
          styles={{ wrapper: { maxWidth: 220 } }}
          {...form.getInputProps('number')}
        />
        <NumberOverlap number={form.values.number} />
      </div>
    )),
    text<Values>('description', { label: t('extension.description'), placeholder: t('extension.description_example'), maxLength: 128 }),
    choice<Values, 'user'>('user', {
      label: t('extension.user'), hint: t('extension.user_hint'), options: people, none: t('extension.nobody'), search: true,
    }),
    // Where there is no group there is nothing to choose.
    ...(groups.data?.length
      ? [
          choice<Values, 'permission_group'>('permission_group', {
            label: t('extension.permission_group'),
            hint: t('extension.permission_group_hint'),
            options: [
              { value: null, label: t('extension.all_numbers') },
              ...groups.data.map(({ id, name }) => ({ value: id, label: name })),
            ],
            search: groups.data.length > 8,
          }),
        ]
      : []),
  ]
  const callerId = [
    field<Values, 'caller_name'>(
      'caller_name',
      t('caller_id.name'),
      (name) => name ?? t('caller_id.usual'),
      (form) => <CallerName form={form} user={users.data.find(({ id }) => id === form.values.user)} />,
    ),
    field<Values, 'caller_id'>(
      'caller_id',
      t('caller_id.outside'),
      ({ show }) => t(`caller_id.number_${show}`),
      (form) => <CallerNumber form={form} own={extension?.id} />,
    ),
  ]
  const kept = () => (
    <>
      {extension?.password_is_weak && (
        <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title={t('extension.sip_password_weak')}>
          {t('extension.sip_password_weak_text')}
        </Alert>
      )}
      {mayWrite && (
        <AnotherPassword
          label={t('extension.sip_password')}
          action={t('sip_password.open')}
          note={t('extension.sip_password_kept')}
          onClick={() => setAsking(true)}
        />
      )}
    </>
  )
  const sip = [
    text<Values>('sip_username', {
      label: t('extension.sip_username'),
      hint: extension ? undefined : t('extension.sip_username_hint'),
      maxLength: 64,
      ...NAME,
    }),
    extension
      ? field<Values, 'sip_password'>('sip_password', t('extension.sip_password'), () => '', kept)
      : secret<Values>('sip_password', {
          label: t('extension.sip_password'),
          hint: t('extension.sip_password_hint'),
          placeholder: t('extension.sip_password_made'),
          warn: ({ sip_password, sip_username, number }) =>
            isGuessable(sip_password, [sip_username, number]) && t('extension.sip_password_guessable'),
        }),
    codecs<Values>(!mayWrite),
    srtp<Values>(),
  ]
  return (
    <>
      <EditDialog<Values>
        title={extension ? t('extension.edit', { number: extension.number }) : t('extension.add')}
        help="extension"
        stored={extension && values(extension)}
        initial={{ ...NEW, number: suggested.data ?? '' }}
        save={save}
        refresh={refresh}
        onClose={onClose}
        readOnly={!mayWrite}
        covered={asking}
        tabs={[
          { id: 'general', label: t('extension.general'), fields: general },
          { id: 'sip', label: t('extension.sip'), text: t('extension.sip_text'), fields: sip, more: extension && <ServerFields /> },
          { id: 'caller-id', label: t('caller_id.title'), text: t('caller_id.text'), fields: callerId },
          ...(extension ? [{ id: 'phones', label: t('phones.title'), fields: [], more: <Phones extension={extension} /> }] : []),
        ]}
      />
      {asking && extension && <NewSipPassword extension={extension} onClose={() => setAsking(false)} />}
    </>
  )
}
