// Call permission groups: which numbers outside extensions may call.
import { IconLockAccess, IconTrash } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { path, type PermissionGroup, useExtensions, usePermissionGroups, useRefresh } from '../../api/configuration'
import type { Column } from '../../kit/DataTable'
import { Gone } from '../../kit/Gone'
import { ListPage } from '../../kit/ListPage'
import { RemoveDialog } from '../../kit/RemoveDialog'
import { useEdited } from '../../kit/edited'
import { later } from '../../kit/later'

const GroupDialog = later(async () => (await import('./GroupDialog')).GroupDialog)

export default function CallPermissionGroups() {
  const { t } = useTranslation()
  const query = usePermissionGroups()
  const extensions = useExtensions()
  const refresh = useRefresh()
  const { edited, open, close } = useEdited('call-permission-groups', query.data)
  const [removing, setRemoving] = useState<PermissionGroup | null>(null)
  const own = useMemo(() => Map.groupBy(extensions.data ?? [], ({ permission_group }) => permission_group), [extensions.data])

  const columns = useMemo<Column<PermissionGroup>[]>(() => {
    const rule = (prefix: string, permission: 'allow' | 'deny') => `${prefix} ${t(`permission.${permission}`).toLowerCase()}`
    return [
      { id: 'name', title: t('permissions.name'), value: ({ name }) => name, width: '14rem', narrow: 'title' },
      { id: 'description', title: t('permissions.description'), value: ({ description }) => description, narrow: 'detail' },
      {
        id: 'rules',
        title: t('permissions.rules'),
        value: ({ rules }) => rules.map(({ prefix, permission }) => rule(prefix, permission)).join(', '),
        narrow: 'detail',
      },
      {
        id: 'default',
        title: t('permissions.default'),
        value: ({ default: otherwise }) => t(`permission.${otherwise}`),
        width: '11rem',
        narrow: 'side',
      },
      {
        id: 'used',
        title: t('permissions.used'),
        value: ({ id }) => own.get(id)?.map(({ number }) => number).join(', '),
        width: '12rem',
        figures: true,
      },
    ]
  }, [t, own])

  const used = removing !== null && own.has(removing.id)
  return (
    <ListPage
      id="call-permission-groups"
      title={t('nav.call_permission_groups')}
      query={query}
      rowId={({ id }) => id}
      columns={columns}
      sort="name"
      count={(count) => t('permissions.count', { count })}
      empty={{ icon: IconLockAccess, title: t('permissions.empty'), text: t('permissions.empty_text') }}
      add={{ label: t('permissions.add'), act: () => open('new') }}
      open={({ id }) => open(id)}
      actions={[
        {
          id: 'remove',
          label: ({ name }) => t('permissions.remove', { name }),
          icon: IconTrash,
          danger: true,
          key: 'Delete',
          act: setRemoving,
        },
      ]}
    >
      {edited.is === 'new' && <GroupDialog onClose={close} />}
      {edited.is === 'row' && <GroupDialog key={edited.row.id} group={edited.row} onClose={close} />}
      {edited.is === 'gone' && <Gone onClose={close} />}
      {removing && (
        <RemoveDialog
          title={t('permissions.remove', { name: removing.name })}
          text={t(used ? 'permissions.remove_used' : 'permissions.remove_text')}
          depends={{
            key: `call permission group ${removing.id}`,
            ask: () => answer(api.GET('/api/v1/call-permission-groups/{id}/dependents', { params: { path: { id: removing.id } } })),
          }}
          nothing={used}
          remove={async () => {
            const params = path(removing.id, query.data?.find(({ id }) => id === removing.id)?.etag ?? removing.etag)
            await answer(api.DELETE('/api/v1/call-permission-groups/{id}', { params }))
            await refresh()
          }}
          refresh={refresh}
          said={t('permissions.removed', { name: removing.name })}
          onClose={() => setRemoving(null)}
        />
      )}
    </ListPage>
  )
}
