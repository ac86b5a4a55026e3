// The Debug log: SIP messages and what becomes of calls, for who looks for a fault. It is off until an
// administrator wants it, and ends by itself.
import { Badge, Button, Center, Checkbox, Group, Paper, Select, Skeleton, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useLine } from '../../api/live'
import { useMayWrite } from '../../api/session'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { dated, saveFile } from '../../kit/save'
import { Time } from '../../kit/Time'
import { failed } from '../../kit/toast'
import { English } from './English'
import { HighlightDialog } from './HighlightDialog'
import { Rows } from './Rows'
import { Tools } from './Tools'
import { type Format, logFile } from './file'
import { highlighter, useRules } from './highlight'
import type { LogRow } from './useLog'

const KEY = ['live', 'debug-log']
const AGAIN_MS = 2_000
/** An open page keeps no more than this. */
const MOST = 3_000
const MINUTES = [15, 60, 240] as const

interface Debug {
  messages: boolean
  decisions: boolean
  until: string | null
  /** The newest first. */
  rows: LogRow[]
}

function useDebugLog(exchange: boolean) {
  const client = useQueryClient()
  return useQuery({
    queryKey: KEY,
    enabled: exchange,
    queryFn: async ({ signal }): Promise<Debug> => {
      let rows = client.getQueryData<Debug>(KEY)?.rows ?? []
      for (;;) {
        const query = { since: rows[0]?.id }
        const log = await answer(api.GET('/api/v1/debug-log', { params: { query }, signal }))
        rows = [...log.rows, ...rows].slice(0, MOST)
        if (!log.more) return { ...log, until: log.until ?? null, rows }
      }
    },
    staleTime: 0,
    gcTime: 0,
    refetchInterval: AGAIN_MS,
  })
}

export function DebugLog() {
  const { t } = useTranslation()
  const { exchange } = useLine()
  const [typed, setTyped] = useState('')
  const [pausedAt, setPausedAt] = useState<number | null>(null)
  const [highlighting, setHighlighting] = useState(false)
  const [rules, setRules] = useRules()
  const colour = useMemo(() => highlighter(rules), [rules])
  const { data, error, refetch } = useDebugLog(exchange)
  const title = t('log.title.debug')
  const search = typed.trim()
  const rows = useMemo(() => {
    const wanted = search.toLowerCase()
    return data?.rows.filter(({ id, text }) => (pausedAt === null || id <= pausedAt) && text.toLowerCase().includes(wanted)) ?? []
  }, [data, search, pausedAt])
  const save = (format: Format) => saveFile(dated('debug-log', format), logFile(format, title, rows.toReversed(), colour))
  return (
    <Page id="debug-log" title={title} fill note={pausedAt === null ? '' : t('log.paused')}>
      {!exchange ? (
        <Text>{t('debug.down')}</Text>
      ) : error && !data ? (
        <Failed error={error} retry={refetch} />
      ) : !data ? (
        <Skeleton h={240} />
      ) : (
        <>
          <Switch debug={data} refresh={refetch} />
          <Tools
            typed={typed}
            onType={setTyped}
            paused={pausedAt !== null}
            onPause={() => setPausedAt(pausedAt === null ? (data.rows[0]?.id ?? null) : null)}
            marks={rules.some(({ pattern }) => pattern !== '')}
            onHighlight={() => setHighlighting(true)}
            onSave={save}
            saving={false}
            empty={data.rows.length === 0}
          />
          <English />
          {rows.length > 0 ? (
            <Rows label={title} rows={rows} search={search} colour={colour} loading={false} />
          ) : (
            <Center flex={1}>
              <Text c="dimmed">
                {search ? t('list.nothing', { query: search }) : data.until ? t('debug.waiting') : t('debug.nothing')}
              </Text>
            </Center>
          )}
        </>
      )}
      {highlighting && <HighlightDialog rules={rules} onChange={setRules} onClose={() => setHighlighting(false)} />}
    </Page>
  )
}

/** Begins and ends it. */
function Switch({ debug, refresh }: { debug: Debug; refresh: () => Promise<unknown> }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const [wish, setWish] = useState({ messages: true, decisions: true, minutes: 15 })
  const [busy, setBusy] = useState(false)
  async function set(body: typeof wish) {
    setBusy(true)
    try {
      await answer(api.PUT('/api/v1/debug-log', { body }))
      await refresh()
    } catch (error) {
      failed(error)
    } finally {
      setBusy(false)
    }
  }
  if (debug.until) {
    return (
      <Paper withBorder p="sm">
        <Group gap="sm">
          <Badge color="yellow" variant="light">
            {t('debug.on')}
          </Badge>
          <Text size="sm" flex={1} miw={200}>
            {[debug.messages && t('debug.messages'), debug.decisions && t('debug.decisions')].filter(Boolean).join(' · ')}
            {' · '}
            {t('debug.ends')} <Time at={debug.until} />
          </Text>
          {mayWrite && (
            <Button size="xs" variant="default" loading={busy} onClick={() => void set({ messages: false, decisions: false, minutes: 1 })}>
              {t('debug.stop')}
            </Button>
          )}
        </Group>
      </Paper>
    )
  }
  return (
    <Paper withBorder p="sm">
      <Group gap="md" align="center">
        <Text size="sm" flex="1 1 100%">
          {t('debug.text')}
        </Text>
        {mayWrite && (
          <>
            <Checkbox
              label={t('debug.messages')}
              checked={wish.messages}
              onChange={(event) => setWish({ ...wish, messages: event.currentTarget.checked })}
            />
            <Checkbox
              label={t('debug.decisions')}
              checked={wish.decisions}
              onChange={(event) => setWish({ ...wish, decisions: event.currentTarget.checked })}
            />
            <Select
              w={150}
              size="xs"
              aria-label={t('debug.how_long')}
              allowDeselect={false}
              data={MINUTES.map((minutes) => ({ value: String(minutes), label: t(`debug.minutes_${minutes}`) }))}
              value={String(wish.minutes)}
              onChange={(minutes) => setWish({ ...wish, minutes: Number(minutes) })}
            />
            <Button size="xs" loading={busy} disabled={!wish.messages && !wish.decisions} onClick={() => void set(wish)}>
              {t('debug.start')}
            </Button>
          </>
        )}
      </Group>
    </Paper>
  )
}
