// The start page: how the box is, and what needs attention.
import { Skeleton, Stack } from '@mantine/core'
import { useDebouncedValue, useDidUpdate } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Call, type Registration, useCalls, useLine, useRegistrations } from '../../api/live'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { span } from '../../kit/time'
import { Attention } from './Attention'
import { FirstSteps, type Steps } from './FirstSteps'
import { Tiles } from './Tiles'

const AGAIN_MS = 60_000
/** A building full of phones that register at once is one change. */
const CALM_MS = 1_000

function useDashboard() {
  return useQuery({
    queryKey: ['config', 'dashboard'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/dashboard', { signal })),
    refetchInterval: AGAIN_MS,
  })
}

/** True once a call is in the history. */
function useEverCalled() {
  return useQuery({
    queryKey: ['history', 'ever'],
    queryFn: async ({ signal }) => {
      const { total } = await answer(api.GET('/api/v1/call-history', { params: { query: { limit: 1 } }, signal }))
      return total > 0
    },
  })
}

export default function Dashboard() {
  const { t } = useTranslation()
  const { data, error, refetch } = useDashboard()
  const calls = useCalls().data ?? []
  const phones = useRegistrations().data
  const ever = useEverCalled()
  const { exchange } = useLine()
  const { registered, away } = useMemo(() => {
    const whose = (all?: Registration[]) => new Set(all?.map(({ extension }) => extension)).size
    const registered = whose(phones?.filter(({ reachable }) => reachable))
    return { registered, away: whose(phones) - registered }
  }, [phones])
  const [settled] = useDebouncedValue(`${registered} ${away}`, CALM_MS)
  useDidUpdate(() => void refetch(), [settled])
  const about = ({ version, exchange }: Schemas['Status']) =>
    [t('dashboard.version', { version }), exchange && exchange.uptime_s >= 60 && t('dashboard.uptime', { span: span(exchange.uptime_s) })].filter(Boolean).join(' · ')
  return (
    <Page id="dashboard" title={t('nav.dashboard')} note={data && about(data.status)}>
      {error && !data ? (
        <Failed error={error} retry={refetch} />
      ) : data && !ever.isPending ? (
        <>
          {ever.error && <Failed error={ever.error} retry={ever.refetch} />}
          <Overview
            data={data}
            calls={calls}
            registered={registered}
            away={away}
            // Where nobody knows, it is no new exchange.
            called={(ever.data ?? true) || calls.length > 0}
            known={exchange}
          />
        </>
      ) : (
        <Stack>
          <Skeleton h={120} />
          <Skeleton h={240} />
        </Stack>
      )}
    </Page>
  )
}

interface Props {
  data: Schemas['Dashboard']
  calls: Call[]
  registered: number
  away: number
  called: boolean
  known: boolean
}

/** What the first steps say already. */
const TOLD = ['no_extensions', 'extension_not_registered']

function Overview({ data, calls, registered, away, called, known }: Props) {
  const steps: Steps = {
    user: data.users.total > 1,
    extension: data.extensions.total > 0,
    phone: registered > 0,
    call: called,
  }
  // More than two phones are an exchange, though its history was cleared.
  const fresh = !called && registered <= 2
  const attention = fresh ? data.attention.filter(({ code }) => !TOLD.includes(code)) : data.attention
  return (
    <Stack gap="lg" maw={1200}>
      {fresh && <FirstSteps steps={steps} enough={data.extensions.total > 1} />}
      {(!fresh || registered > 1) && <Tiles data={data} calls={calls} registered={registered} away={away} known={known} />}
      <Attention items={attention} quiet={fresh} />
    </Stack>
  )
}
