// Extensions: internal numbers and their phones.
import { Group, Tooltip } from '@mantine/core'
import { IconAlertTriangle, IconDeviceLandlinePhone, IconTrash } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Extension, path, useExtensions, usePermissionGroups, useRefresh, useUsers } from '../../api/configuration'
import { type Registration, useFailedLogins, useLine, useRegistrations } from '../../api/live'
import type { Column } from '../../kit/DataTable'
import { Gone } from '../../kit/Gone'
import { ListPage } from '../../kit/ListPage'
import { RemoveDialog } from '../../kit/RemoveDialog'
import { useEdited } from '../../kit/edited'
import { later } from '../../kit/later'
import { StatusBadge } from '../../kit/small'
import { absolute } from '../../kit/time'
import classes from './extensions.module.css'

type FailedLogin = Schemas['FailedLogin']

const ExtensionDialog = later(async () => (await import('./ExtensionDialog')).ExtensionDialog)

export default function Extensions() {
  const { t } = useTranslation()
  const query = useExtensions()
  const users = useUsers()
  const groups = usePermissionGroups()
  const registrations = useRegistrations()
  const refresh = useRefresh()
  const { edited, open, close } = useEdited('extensions', query.data)
  const [removing, setRemoving] = useState<Extension | null>(null)
  const registered = useMemo(() => Map.groupBy(registrations.data ?? [], ({ extension }) => extension), [registrations.data])

  const logins = useFailedLogins().data?.extensions
  const failed = useMemo(() => new Map(logins?.map((login) => [login.extension, login])), [logins])

  const columns = useMemo<Column<Extension>[]>(() => {
    const names = new Map(users.data?.map(({ id, name, full_name }) => [id, full_name || name]))
    const phones = ({ id }: Extension) => registered.get(id) ?? []
    return [
      {
        id: 'number',
        title: t('extension.number'),
        value: ({ number }) => number,
        cell: (extension) => <NumberCell extension={extension} />,
        width: '8rem',
        narrow: 'title',
        figures: true,
      },
      { id: 'user', title: t('extension.user'), value: ({ user }) => names.get(user ?? -1), narrow: 'detail' },
      {
        id: 'description',
        title: t('extension.description'),
        // What stands beside it already is not said twice.
        value: ({ description, user }) => (description === names.get(user ?? -1) ? '' : description),
        narrow: 'detail',
      },
      { id: 'caller_name', title: t('caller_id.title'), value: ({ caller_name }) => caller_name, hidden: true },
      {
        id: 'phone',
        title: t('extensions.phone'),
        value: (extension) =>
          [
            ...phones(extension).map(({ user_agent, address }) => `${user_agent} ${address}`),
            ...[failed.get(extension.id)].map((login) => login && `${t(`extensions.refused.${login.reason}`)} ${login.host}`),
          ].join(),
        cell: (extension) => <Phone extension={extension} phones={phones(extension)} failed={failed.get(extension.id)} />,
        narrow: 'side',
      },
      {
        id: 'permissions',
        title: t('extension.permission_group'),
        value: ({ permission_group }) => groups.data?.find(({ id }) => id === permission_group)?.name,
        hidden: true,
      },
      { id: 'sip', title: t('extension.sip_username'), value: ({ sip_username }) => sip_username, hidden: true },
      {
        id: 'codecs',
        title: t('extension.codecs'),
        value: ({ codecs }) => codecs.map((codec) => t(`codec.${codec}`)).join(', '),
        hidden: true,
      },
    ]
  }, [t, users.data, groups.data, registered, failed])

  return (
    <ListPage
      id="extensions"
      title={t('nav.extensions')}
      query={query}
      rowId={({ id }) => id}
      columns={columns}
      sort="number"
      count={(count) => t('extensions.count', { count })}
      empty={{ icon: IconDeviceLandlinePhone, title: t('extensions.empty'), text: t('extensions.empty_text') }}
      add={{ label: t('extension.add'), act: () => open('new') }}
      open={({ id }) => open(id)}
      faint={({ active }) => !active}
      actions={[
        {
          id: 'remove',
          label: ({ number }) => t('extension.remove', { number }),
          icon: IconTrash,
          danger: true,
          key: 'Delete',
          act: setRemoving,
        },
      ]}
    >
      {edited.is === 'new' && <ExtensionDialog onClose={close} />}
      {edited.is === 'row' && <ExtensionDialog key={edited.row.id} extension={edited.row} onClose={close} />}
      {edited.is === 'gone' && <Gone onClose={close} />}
      {removing && (
        <RemoveDialog
          title={t('extension.remove', { number: removing.number })}
          text={t('extension.remove_text', { number: removing.number })}
          depends={{
            key: `extension ${removing.id}`,
            ask: () => answer(api.GET('/api/v1/extensions/{id}/dependents', { params: { path: { id: removing.id } } })),
          }}
          remove={async () => {
            const params = path(removing.id, query.data?.find(({ id }) => id === removing.id)?.etag ?? removing.etag)
            await answer(api.DELETE('/api/v1/extensions/{id}', { params }))
            await refresh()
          }}
          refresh={refresh}
          said={t('extension.removed', { number: removing.number })}
          onClose={() => setRemoving(null)}
        />
      )}
    </ListPage>
  )
}

function NumberCell({ extension: { number, password_is_weak } }: { extension: Extension }) {
  const { t } = useTranslation()
  return (
    <Group component="span" gap={6} wrap="nowrap" display="inline-flex">
      {number}
      {password_is_weak && (
        <Tooltip label={t('extension.sip_password_weak')}>
          <IconAlertTriangle size={16} className={classes.weak} role="img" aria-label={t('extension.sip_password_weak')} />
        </Tooltip>
      )}
    </Group>
  )
}

function Phone({ extension, phones, failed }: { extension: Extension; phones: Registration[]; failed: FailedLogin | undefined }) {
  const { t } = useTranslation()
  const { exchange } = useLine()
  if (!extension.active) {
    return <StatusBadge state="quiet">{extension.enabled ? t('extensions.user_off') : t('word.disabled')}</StatusBadge>
  }
  if (!exchange) return <StatusBadge state="quiet">{t('extensions.phone_unknown')}</StatusBadge>
  const title = phones.map(({ user_agent, address, transport }) => `${user_agent ?? ''} ${address} ${transport}`).join('\n')
  const there = phones.filter(({ reachable }) => reachable)
  const [first, ...others] = there.filter(({ unresponsive_since }) => unresponsive_since === null)
  if (there.length === 0 && failed) {
    const when = `${t(`failed_login.${failed.reason}`, { host: failed.host })}, ${absolute(failed.time)}`
    return <StatusBadge state="warn" title={when}>{t(`extensions.refused.${failed.reason}`)}</StatusBadge>
  }
  if (phones.length === 0) return <StatusBadge state="quiet">{t('extensions.no_phone')}</StatusBadge>
  if (!first && there[0]) return <StatusBadge state="warn" title={title}>{t('extensions.not_responding')}</StatusBadge>
  if (!first) return <StatusBadge state="warn" title={title}>{t('extensions.reconnecting')}</StatusBadge>
  return (
    <StatusBadge state="good" title={title}>
      {others.length > 0 ? t('extensions.phones', { count: others.length + 1 }) : first.user_agent || t('extensions.registered')}
    </StatusBadge>
  )
}
