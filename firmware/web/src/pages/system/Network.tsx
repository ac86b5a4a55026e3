// System, Network: addresses of the machine. A change holds at once, and is taken back unless somebody
// who reaches the box afterwards says that it is good.
import { Alert, Group, Radio, Skeleton, Text, TextInput } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import type { TFunction } from 'i18next'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, tagged } from '../../api/client'
import { ANSWER_MS, type Network, useMayAdminister, useNetwork, useTold } from '../../api/machine'
import { Problem } from '../../api/problem'
import { EditPage, type Section } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { Time } from '../../kit/Time'
import { confirm } from '../../kit/confirm'
import { field, NAME, text } from '../../kit/fields'
import { StatusBadge } from '../../kit/small'
import { Elsewhere, OnlyShown } from './Elsewhere'
import { Tabs } from './Tabs'
import { Trial, WayList } from './Trial'
import { atFields } from './faults'
import { maskOf, portsOf, toSettings, toValues, type Values, type Ways, waysTo } from './network'

export default function NetworkPage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useNetwork()
  if (data) return <Settings network={data} />
  return (
    <Page id="network" title={t('nav.system')}>
      <Tabs />
      {error ? <Failed error={error} retry={refetch} /> : data === null ? <Elsewhere /> : <Skeleton h={320} maw="44rem" />}
    </Page>
  )
}

function Settings({ network }: { network: Network }) {
  const { t } = useTranslation()
  const mayWrite = useMayAdminister()
  const told = useTold()
  const { refetch, dataUpdatedAt } = useNetwork()
  const [lost, setLost] = useState<(Ways & { at: number }) | null>(null)
  const ports = portsOf(network)

  async function save(values: Values, etag: string) {
    const settings = toSettings(values, ports)
    const ways = waysTo(settings, network, window.location)
    const sure = await confirm({
      title: t('network.ask'),
      text: ways.stays
        ? t('network.ask_stays')
        : t('network.ask_leaves', { where: [...ways.links, ...(ways.leased ? [t('network.leased_where')] : [])].join(', ') }),
      yes: t('network.change'),
      no: t('action.cancel'),
    })
    if (!sure) throw new Problem({ code: 'cancelled' })
    setLost(null)
    try {
      const signal = AbortSignal.timeout(ANSWER_MS)
      told.network(await tagged(api.PUT('/api/v1/system/network', { params: { header: { 'If-Match': etag } }, body: settings, signal })))
    } catch (error) {
      const problem = Problem.from(error)
      // The answer may have been cut off by what it tells of.
      if (problem.code !== 'unreachable' || ways.stays) throw atFields(problem)
      setLost({ ...ways, at: dataUpdatedAt })
      // Nobody knows whether it was taken.
      throw new Problem({ code: 'cancelled' })
    }
    return undefined
  }

  const machine: Section<Values> = {
    id: 'machine',
    title: t('network.machine'),
    fields: [
      text<Values>('host_name', { label: t('network.host_name'), hint: t('network.host_name_hint'), maxLength: 253, ...SHORT }),
      text<Values>('gateway', { label: t('network.gateway'), hint: inUse('gateway', [network.gateway]), maxLength: 15, ...SHORT }),
      text<Values>('dns', { label: t('network.dns'), hint: inUse('dns', network.dns), maxLength: 200, ...SHORT }),
    ],
  }
  function inUse(name: 'gateway' | 'dns', addresses: (string | null | undefined)[]) {
    const there = addresses.filter(Boolean).join(', ')
    return there ? `${t(`network.${name}_hint`)} ${t('network.in_use', { what: there })}` : t(`network.${name}_hint`)
  }
  return (
    <EditPage<Values>
      id="network"
      title={t('nav.system')}
      above={
        <>
          <Tabs />
          <OnlyShown />
          {lost && dataUpdatedAt === lost.at ? (
            <Alert color="yellow" icon={<IconPlugConnectedX size={18} />} title={t('network.lost')} role="alert" maw="44rem">
              {t('network.lost_text')}
              <WayList ways={lost} />
            </Alert>
          ) : (
            <Trial network={network} />
          )}
        </>
      }
      stored={{ values: toValues(network.settings), etag: network.etag }}
      save={save}
      refresh={refetch}
      readOnly={!mayWrite}
      sections={[...ports.map((name, index) => portSection(t, network, name, index, mayWrite)), machine]}
    />
  )
}

const SHORT = { ...NAME, styles: { wrapper: { maxWidth: 320 } } }

/** The settings of a port, below how it is. */
function portSection(t: TFunction, { settings, interfaces }: Network, name: string, index: number, mayWrite: boolean): Section<Values> {
  const now = interfaces.find((port) => port.name === name)
  const way = `way_${index}` as const
  const address = `address_${index}` as const
  return {
    id: name,
    title: t('network.port', { number: index + 1, name }),
    text: now && (
      <Group gap="md" mt={4}>
        <StatusBadge state={now.carrier ? 'good' : 'quiet'}>{now.carrier ? t('network.plugged') : t('network.unplugged')}</StatusBadge>
        <Text size="sm" className="figures" component="span">
          {[...now.addresses, now.mac].join(' · ')}
        </Text>
        {now.lease_until && (
          <Text size="sm" component="span">
            {t('network.leased')} <Time at={now.lease_until} as="brief" />
          </Text>
        )}
      </Group>
    ),
    // Of a machine that is only shown nobody knows how it is set.
    fields: !settings.interfaces.some((port) => port.name === name) && !mayWrite ? [] : [
      field<Values, typeof way>(way, `${name}: ${t('network.way')}`, (value) => t(`way.${value}`), (form) => (
        <Radio.Group label={t('network.way')} {...form.getInputProps(way)}>
          <Group gap="lg" mt="xs">
            {(['dhcp', 'static'] as const).map((value) => (
              <Radio key={value} value={value} label={t(`way.${value}`)} />
            ))}
          </Group>
        </Radio.Group>
      )),
      field<Values, typeof address>(address, `${name}: ${t('network.address')}`, String, (form) => {
        const mask = maskOf(form.values[address] ?? '')
        const dhcp = form.values[way] === 'dhcp'
        return (
          <TextInput
            label={dhcp ? t('network.fallback') : t('network.address')}
            description={`${t(dhcp ? 'network.fallback_hint' : 'network.address_hint')}${mask ? ` ${t('network.mask', { mask })}` : ''}`}
            maxLength={18}
            {...SHORT}
            {...form.getInputProps(address)}
          />
        )
      }),
    ],
  }
}
