// The log of the kernel, which all programs of the box write to: its newest rows, read again and again.
import { Center, Skeleton, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { orNone } from '../../api/machine'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { dated, saveFile } from '../../kit/save'
import { Elsewhere } from '../system/Elsewhere'
import { English } from './English'
import { HighlightDialog } from './HighlightDialog'
import { Rows } from './Rows'
import { Tools } from './Tools'
import { type Format, logFile } from './file'
import { highlighter, useRules } from './highlight'
import type { LogRow } from './useLog'

const KEY = ['machine', 'kernel-log']
const AGAIN_MS = 5_000
/** An open page keeps no more than this. */
const MOST = 3_000

/** The newest first; null where the machine is somebody else's. */
function useKernelLog() {
  const client = useQueryClient()
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }): Promise<LogRow[] | null> => {
      const known = client.getQueryData<LogRow[] | null>(KEY) ?? []
      const query = { since: known[0]?.id }
      const log = await orNone(answer(api.GET('/api/v1/system/kernel-log', { params: { query }, signal })))
      return log && [...log.rows, ...known].slice(0, MOST)
    },
    staleTime: 0,
    gcTime: 0,
    refetchInterval: ({ state: { data } }) => (data === null ? false : AGAIN_MS),
  })
}

export function KernelLog() {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  const [pausedAt, setPausedAt] = useState<number | null>(null)
  const [highlighting, setHighlighting] = useState(false)
  const [rules, setRules] = useRules()
  const colour = useMemo(() => highlighter(rules), [rules])
  const { data, error, refetch } = useKernelLog()
  const title = t('log.title.kernel')
  const search = typed.trim()
  const rows = useMemo(() => {
    const wanted = search.toLowerCase()
    return data?.filter(({ id, text }) => (pausedAt === null || id <= pausedAt) && text.toLowerCase().includes(wanted)) ?? []
  }, [data, search, pausedAt])
  const save = (format: Format) => saveFile(dated('kernel-log', format), logFile(format, title, rows.toReversed(), colour))
  return (
    <Page id="logs" title={title} fill note={pausedAt === null ? '' : t('log.paused')}>
      {data === null ? (
        <Elsewhere />
      ) : error && !data ? (
        <Failed error={error} retry={refetch} />
      ) : !data ? (
        <Skeleton h={240} />
      ) : (
        <>
          <Tools
            typed={typed}
            onType={setTyped}
            paused={pausedAt !== null}
            onPause={() => setPausedAt(pausedAt === null ? (data[0]?.id ?? null) : null)}
            marks={rules.some(({ pattern }) => pattern !== '')}
            onHighlight={() => setHighlighting(true)}
            onSave={save}
            saving={false}
            empty={data.length === 0}
          />
          <English />
          {rows.length > 0 ? (
            <Rows label={title} rows={rows} search={search} colour={colour} loading={false} />
          ) : (
            <Center flex={1}>
              <Text c="dimmed">{t('list.nothing', { query: search })}</Text>
            </Center>
          )}
        </>
      )}
      {highlighting && <HighlightDialog rules={rules} onChange={setRules} onClose={() => setHighlighting(false)} />}
    </Page>
  )
}
