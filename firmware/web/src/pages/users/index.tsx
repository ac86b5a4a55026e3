// Users: who has extensions, who administers.
import { Radio, Stack } from '@mantine/core'
import { IconTrash, IconUsers } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { path, useRefresh, useUsers, type User } from '../../api/configuration'
import type { Column } from '../../kit/DataTable'
import { Gone } from '../../kit/Gone'
import { ListPage } from '../../kit/ListPage'
import { RemoveDialog } from '../../kit/RemoveDialog'
import { useEdited } from '../../kit/edited'
import { later } from '../../kit/later'
import { StatusBadge } from '../../kit/small'

const UserDialog = later(async () => (await import('./UserDialog')).UserDialog)
const THEN = ['disable', 'detach', 'remove'] as const
type Then = (typeof THEN)[number]

export default function Users() {
  const { t } = useTranslation()
  const query = useUsers()
  const { edited, open, close } = useEdited('users', query.data)
  const [removing, setRemoving] = useState<User | null>(null)
  const columns = useMemo<Column<User>[]>(() => {
    // Who has only phones needs no password.
    const lacking = ({ role, has_password }: User) => role !== 'user' && !has_password
    const state = (user: User) =>
      !user.enabled ? t('word.disabled') : lacking(user) ? t('users.no_password') : t('word.enabled')
    return [
      { id: 'name', title: t('user.name'), value: ({ name }) => name, narrow: 'title' },
      { id: 'full_name', title: t('user.full_name'), value: ({ full_name }) => full_name, narrow: 'detail' },
      {
        id: 'extensions',
        title: t('user.extensions'),
        value: ({ extensions }) => extensions.map(({ number }) => number).join(', '),
        width: '9rem',
        narrow: 'detail',
        figures: true,
      },
      { id: 'email', title: t('user.email'), value: ({ email }) => email, hidden: true },
      { id: 'role', title: t('user.role'), value: ({ role }) => t(`role.${role}`) },
      { id: 'language', title: t('user.language'), value: ({ language }) => t(`language.${language}`), hidden: true },
      {
        id: 'state',
        title: t('users.state'),
        value: state,
        cell: (user) => (
          <StatusBadge state={user.enabled && !lacking(user) ? 'good' : 'quiet'}>{state(user)}</StatusBadge>
        ),
        width: '11rem',
        narrow: 'side',
      },
    ]
  }, [t])

  return (
    <ListPage
      id="users"
      title={t('nav.users')}
      query={query}
      rowId={({ id }) => id}
      columns={columns}
      sort="name"
      count={(count) => t('users.count', { count })}
      empty={{ icon: IconUsers, title: t('users.empty'), text: t('users.empty_text') }}
      add={{ label: t('user.add'), act: () => open('new') }}
      open={({ id }) => open(id)}
      faint={({ enabled }) => !enabled}
      actions={[
        {
          id: 'remove',
          label: ({ name }) => t('user.remove', { name }),
          icon: IconTrash,
          danger: true,
          key: 'Delete',
          act: setRemoving,
        },
      ]}
    >
      {edited.is === 'new' && <UserDialog onClose={close} />}
      {edited.is === 'row' && <UserDialog key={edited.row.id} user={edited.row} onClose={close} />}
      {edited.is === 'gone' && <Gone onClose={close} />}
      {removing && <RemoveUser user={query.data?.find(({ id }) => id === removing.id) ?? removing} onClose={() => setRemoving(null)} />}
    </ListPage>
  )
}

function RemoveUser({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const [then, setThen] = useState<Then>('disable')
  const { name, extensions } = user
  return (
    <RemoveDialog
      title={t('user.remove', { name })}
      text={user.role !== 'user' && user.has_password ? t('user.remove_text', { name }) : t('user.remove_text_phones', { name })}
      depends={{
        key: `user ${user.id}`,
        ask: () => answer(api.GET('/api/v1/users/{id}/dependents', { params: { path: { id: user.id } } })),
      }}
      remove={async () => {
        const params = { ...path(user.id, user.etag), query: { extensions: then } }
        await answer(api.DELETE('/api/v1/users/{id}', { params }))
        await refresh()
      }}
      refresh={refresh}
      said={t('user.removed', { name })}
      onClose={onClose}
    >
      {extensions.length > 0 && (
        <Radio.Group value={then} onChange={(value) => setThen(value as Then)} label={t('user.then')}>
          <Stack gap="xs" mt="xs">
            {THEN.map((one) => (
              <Radio key={one} value={one} label={t(`user.then_${one}`, { count: extensions.length })} />
            ))}
          </Stack>
        </Radio.Group>
      )}
    </RemoveDialog>
  )
}
