// Rows of a log: the newest, older ones on demand, and new ones as they come.
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { answer, api, type Schemas } from '../../api/client'
import { onLogged, useLine } from '../../api/live'
import { holds } from './marked'

export type Log = Schemas['Log']
export type LogRow = Schemas['LogRow']
type Rows = Schemas['LogRows']

const PAGE = 200
/** The most that the box gives at a time. */
const MOST = 1000
/** A burst of rows is read once. */
const CALM_MS = 200

function read(log: Log, query: { before?: number; since?: number; search?: string; limit: number }, signal?: AbortSignal) {
  return answer(api.GET('/api/v1/logs/{log}', { params: { path: { log }, query }, signal }))
}

/** All rows younger than `since` (older than `before` comes next), the newest first. */
export async function allRows(log: Log, search: string | undefined, since?: number): Promise<LogRow[]> {
  const all: LogRow[] = []
  let before: number | undefined
  for (;;) {
    const { rows, next } = await read(log, { before, since, search, limit: MOST })
    all.push(...rows)
    if (next === null || next === undefined) return all
    before = next
  }
}

/** Rows with new ones on top. A series that goes on comes anew, and its row of before goes. */
export function withNew(rows: LogRow[], fresh: LogRow[], onTop = true): LogRow[] {
  const series = fresh.filter(({ times }) => times > 1)
  const left = rows.filter((row) => !series.some(({ text, first }) => text === row.text && first <= row.time))
  return onTop ? [...fresh, ...left] : left
}

/** What is shown of a log that stands still: what stood there, and what is older, as far as it has what is searched for. */
export function paused(held: LogRow[], all: LogRow[], search: string): LogRow[] {
  const newest = held[0]?.id ?? 0
  const rows = new Map([...held, ...all.filter(({ id }) => id <= newest)].map((row) => [row.id, row]))
  return [...rows.values()].filter(({ text }) => holds(text, search)).sort((one, other) => other.id - one.id)
}

export function useLog(log: Log, search: string) {
  const client = useQueryClient()
  const line = useLine()
  const query = useInfiniteQuery({
    queryKey: ['log', log, search],
    queryFn: ({ pageParam, signal }) => read(log, { before: pageParam, search: search || undefined, limit: PAGE }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    staleTime: 0,
    gcTime: 0,
    placeholderData: (before) => before,
  })

  useEffect(() => {
    let calm: ReturnType<typeof setTimeout> | undefined
    let stopped = false
    const key = ['log', log, search]
    async function catchUp() {
      calm = undefined
      const newest = client.getQueryData<InfiniteData<Rows>>(key)?.pages[0]
      if (!newest) return
      // An event may leave rows out where many come at once: what is missing is asked for.
      const rows = await allRows(log, search || undefined, newest.rows[0]?.id ?? 0).catch(() => [])
      if (stopped || rows.length === 0) return
      client.setQueryData<InfiniteData<Rows>>(key, (data) => {
        const [first, ...rest] = data?.pages ?? []
        if (!data || !first) return data
        const known = first.rows[0]?.id ?? 0
        const fresh = rows.filter(({ id }) => id > known)
        return { ...data, pages: [{ ...first, rows: withNew(first.rows, fresh) }, ...rest.map((page) => ({ ...page, rows: withNew(page.rows, fresh, false) }))] }
      })
    }
    const soon = () => (calm ??= setTimeout(() => void catchUp(), CALM_MS))
    // Rows may have come while there was no line, or while older ones were on their way.
    soon()
    const stop = onLogged((row) => row.log === log && soon())
    return () => {
      stopped = true
      clearTimeout(calm)
      stop()
    }
  }, [client, log, search, line, query.isFetching])
  return query
}
