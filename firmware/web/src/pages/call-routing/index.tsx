// Call routing: the ways to other networks with what comes in by them, and where dialled numbers go.
import { Alert, Button, Group, Text, Title } from '@mantine/core'
import { IconPlus, IconPower, IconRoute, IconTrash } from '@tabler/icons-react'
import { type ReactNode, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { type Interface, path, type Route, useEmergency, useExtensions, useInterfaces, useRefresh, useRoutes } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { type Action, type Column, DataTable, type Sort } from '../../kit/DataTable'
import { Empty, Failed } from '../../kit/Empty'
import { Gone } from '../../kit/Gone'
import { Page } from '../../kit/Page'
import { RemoveDialog } from '../../kit/RemoveDialog'
import { compare } from '../../kit/find'
import { later } from '../../kit/later'
import { go, parts, usePlace } from '../../kit/route'
import { StatusBadge } from '../../kit/small'
import { done, failed } from '../../kit/toast'
import { bodyOf, serverOf, valuesOf } from './body'
import { Condition, conditionText } from './condition'
import { inWords, isIdentity } from './rewrite'

const InterfaceDialog = later(async () => (await import('./InterfaceDialog')).InterfaceDialog)
const RouteDialog = later(async () => (await import('./RouteDialog')).RouteDialog)
const Wizard = later(async () => (await import('./Wizard')).Wizard)

/** How many numbers a row shows. */
const NUMBERS = 3

type Removing = { interface: Interface } | { route: Route }

const open = (id: string) => void go(`/call-routing/${id}`)
const close = () => void go('/call-routing')

export default function CallRouting() {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const refresh = useRefresh()
  const interfaces = useInterfaces()
  const routes = useRoutes()
  const extensions = useExtensions()
  const [removing, setRemoving] = useState<Removing | null>(null)
  const error = interfaces.error ?? routes.error
  const none = interfaces.data?.length === 0

  async function toggle(change: Promise<unknown>, said: string) {
    try {
      await change
      done(said)
    } catch (error) {
      failed(error)
    } finally {
      await refresh()
    }
  }

  const ways = useMemo<Column<Interface>[]>(() => {
    const numbers = new Map(extensions.data?.map(({ id, number }) => [id, number]))
    const rings = ({ operator, incoming }: Interface, extension: number | null | undefined) =>
      numbers.get(extension ?? -1) ?? (isIdentity(incoming.called ?? {}) ? (numbers.get(operator ?? -1) ?? '–') : t('routing.by_rule'))
    const mapping = (row: Interface) => {
      const all = row.numbers.map(({ number, extension }) => `${number} → ${rings(row, extension)}`)
      const more = all.length - NUMBERS
      if (all.length === 0) return row.operator === null ? '' : `→ ${rings(row, null)}`
      return [...all.slice(0, NUMBERS), ...(more > 0 ? [t('routing.more', { count: more })] : [])].join(', ')
    }
    return [
      { id: 'name', title: t('interface.name'), value: ({ name }) => name, width: '9rem', narrow: 'title' },
      { id: 'partner', title: t('interface.partner'), value: ({ partner }) => t(`partner.${partner}`), width: '9rem' },
      { id: 'server', title: t('interface.host'), value: serverOf, width: '12rem', narrow: 'detail' },
      { id: 'numbers', title: t('routing.mapping'), value: mapping, narrow: 'detail', figures: true },
      {
        id: 'state',
        title: t('users.state'),
        value: (row) => conditionText(row, t),
        cell: (row) => <Condition of={row} />,
        width: '11.5rem',
        narrow: 'side',
      },
    ]
  }, [t, extensions.data])

  const out = useMemo<Column<Route>[]>(() => {
    const names = new Map(interfaces.data?.map(({ id, name }) => [id, name]))
    const rewriting = ({ outgoing: { called, calling } }: Route) =>
      [
        called && !isIdentity(called) && t('routing.called', { rule: inWords(called, t) }),
        calling && !isIdentity(calling) && t('routing.calling', { rule: inWords(calling, t) }),
      ]
        .filter(Boolean)
        .join('; ')
    return [
      { id: 'prefix', title: t('route.prefix'), value: ({ prefix }) => prefix || t('route.any'), width: '8rem', narrow: 'title', figures: true },
      {
        id: 'interfaces',
        title: t('route.interfaces'),
        value: ({ interfaces }) => interfaces.map((id) => names.get(id) ?? '').join(', '),
        width: '14rem',
        narrow: 'detail',
      },
      { id: 'description', title: t('route.description'), value: ({ description }) => description, width: '10rem' },
      { id: 'rewriting', title: t('route.rewriting'), value: rewriting, narrow: 'detail' },
      {
        id: 'state',
        title: t('users.state'),
        value: ({ enabled }) => t(enabled ? 'word.enabled' : 'word.disabled'),
        cell: ({ enabled }) => (
          <StatusBadge state={enabled ? 'good' : 'quiet'}>{t(enabled ? 'word.enabled' : 'word.disabled')}</StatusBadge>
        ),
        width: '7.5rem',
        narrow: 'side',
      },
    ]
  }, [t, interfaces.data])

  const addInterface = mayWrite && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => open('interface-new')}>
      {t('interface.add')}
    </Button>
  )
  return (
    <Page id="call-routing" title={t('nav.call_routing')}>
      {error ? (
        <Failed error={error} retry={() => Promise.all([interfaces.refetch(), routes.refetch()])} />
      ) : none ? (
        <Empty icon={IconRoute} title={t('routing.empty')} text={t('routing.empty_text')} action={addInterface} />
      ) : (
        <>
          <Section title={t('routing.interfaces')} text={t('routing.interfaces_text')} action={addInterface}>
            <List
              label={t('routing.interfaces')}
              rows={interfaces.data}
              columns={ways}
              open={({ id }) => open(`interface-${id}`)}
              actions={[
                {
                  id: 'toggle',
                  label: ({ enabled, name }) => t(enabled ? 'routing.disable' : 'routing.enable', { name }),
                  icon: IconPower,
                  act: (row) => {
                    const body = bodyOf({ ...valuesOf(row), enabled: !row.enabled })
                    const change = answer(api.PUT('/api/v1/interfaces/{id}', { params: path(row.id, row.etag), body }))
                    void toggle(change, t('interface.saved', { name: row.name }))
                  },
                },
                {
                  id: 'remove',
                  label: ({ name }) => t('interface.remove', { name }),
                  icon: IconTrash,
                  danger: true,
                  key: 'Delete',
                  act: (row) => setRemoving({ interface: row }),
                },
              ]}
            />
          </Section>
          <Section
            title={t('routing.routes')}
            text={t('routing.routes_text')}
            action={
              mayWrite && (
                <Button variant="default" leftSection={<IconPlus size={16} />} onClick={() => open('route-new')}>
                  {t('route.add')}
                </Button>
              )
            }
          >
            {routes.data?.length === 0 ? (
              <Alert color="yellow">{t('routing.no_routes')}</Alert>
            ) : (
              <List
                label={t('routing.routes')}
                rows={routes.data}
                columns={out}
                open={({ id }) => open(`route-${id}`)}
                actions={[
                  {
                    id: 'toggle',
                    label: ({ enabled, prefix }) => t(enabled ? 'routing.disable' : 'routing.enable', { name: prefix || t('route.any') }),
                    icon: IconPower,
                    act: ({ id, etag, prefix, description, enabled, interfaces, outgoing }) => {
                      const body = { prefix, description, enabled: !enabled, interfaces, outgoing }
                      const change = answer(api.PUT('/api/v1/routes/{id}', { params: path(id, etag), body }))
                      void toggle(change, t('route.saved', { prefix: prefix || t('route.any') }))
                    },
                  },
                  {
                    id: 'remove',
                    label: ({ prefix }) => t('route.remove', { prefix: prefix || t('route.any') }),
                    icon: IconTrash,
                    danger: true,
                    key: 'Delete',
                    act: (route) => setRemoving({ route }),
                  },
                ]}
              />
            )}
          </Section>
        </>
      )}
      <Dialog interfaces={interfaces.data} routes={routes.data} />
      {removing && 'interface' in removing && (
        <RemoveInterface
          interface={interfaces.data?.find(({ id }) => id === removing.interface.id) ?? removing.interface}
          routes={routes.data ?? []}
          onClose={() => setRemoving(null)}
        />
      )}
      {removing && 'route' in removing && (
        <RemoveRoute
          route={routes.data?.find(({ id }) => id === removing.route.id) ?? removing.route}
          onClose={() => setRemoving(null)}
        />
      )}
    </Page>
  )
}

/** The dialog that the address names: `interface-7`, `route-new`. */
function Dialog({ interfaces, routes }: { interfaces: Interface[] | undefined; routes: Route[] | undefined }) {
  const { id } = parts(usePlace().pathname)
  const [, kind, which] = /^(interface|route)-(new|\d+)$/.exec(id ?? '') ?? []
  if (id === undefined || !interfaces || !routes) return null
  const own = (row: { id: number }) => String(row.id) === which
  if (kind === 'interface' && which === 'new') return <Wizard onClose={close} />
  if (kind === 'route' && which === 'new') return <RouteDialog interfaces={interfaces} onClose={close} />
  const way = kind === 'interface' && interfaces.find(own)
  if (way) return <InterfaceDialog key={id} interface={way} onClose={close} />
  const route = kind === 'route' && routes.find(own)
  if (route) return <RouteDialog key={id} route={route} interfaces={interfaces} onClose={close} />
  return <Gone onClose={close} />
}

function Section({ title, text, action, children }: { title: string; text: string; action: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <Group justify="space-between" gap="sm" mb="xs" align="end">
        <div>
          <Title order={2}>{title}</Title>
          <Text size="sm" c="dimmed">
            {text}
          </Text>
        </div>
        {action}
      </Group>
      {children}
    </section>
  )
}

interface ListProps<R> {
  label: string
  rows: R[] | undefined
  columns: Column<R>[]
  open: (row: R) => void
  actions: Action<R>[]
}

function List<R extends { id: number; enabled: boolean }>({ rows, columns, actions, ...props }: ListProps<R>) {
  const mayWrite = useMayWrite()
  const [sort, setSort] = useState<Sort>({ column: columns[0]!.id, down: false })
  const sorted = useMemo(() => {
    const { value } = columns.find(({ id }) => id === sort.column) ?? columns[0]!
    const order = compare()
    return rows && [...rows].sort((one, other) => (sort.down ? -1 : 1) * order(value(one), value(other)))
  }, [rows, columns, sort])
  return (
    <DataTable
      {...props}
      rows={sorted}
      id={({ id }) => id}
      columns={columns}
      sort={sort}
      onSort={setSort}
      actions={mayWrite ? actions : undefined}
      faint={({ enabled }) => !enabled}
    />
  )
}

function RemoveInterface({ interface: row, routes, onClose }: { interface: Interface; routes: Route[]; onClose: () => void }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const { id, name, etag } = row
  const used = routes.some(({ interfaces }) => interfaces.includes(id))
  return (
    <RemoveDialog
      title={t('interface.remove', { name })}
      text={used ? t('interface.remove_used', { name }) : t('interface.remove_text', { name })}
      depends={{
        key: `interface ${id}`,
        ask: () => answer(api.GET('/api/v1/interfaces/{id}/dependents', { params: { path: { id } } })),
      }}
      nothing={used}
      remove={async () => {
        await answer(api.DELETE('/api/v1/interfaces/{id}', { params: path(id, etag) }))
        await refresh()
      }}
      refresh={refresh}
      said={t('interface.removed', { name })}
      onClose={onClose}
    />
  )
}

function RemoveRoute({ route, onClose }: { route: Route; onClose: () => void }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const emergency = useEmergency()
  const prefix = route.prefix || t('route.any')
  const used = emergency.data?.values.routes?.includes(route.id) ?? false
  return (
    <RemoveDialog
      title={t('route.remove', { prefix })}
      text={used ? t('route.remove_emergency') : t('route.remove_text', { prefix })}
      needs={emergency}
      nothing={used}
      remove={async () => {
        await answer(api.DELETE('/api/v1/routes/{id}', { params: path(route.id, route.etag) }))
        await refresh()
      }}
      refresh={refresh}
      said={t('route.removed', { prefix })}
      onClose={onClose}
    />
  )
}
