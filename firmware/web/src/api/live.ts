// Live events (server-sent events), put where the pages find them: in the cache of what was read.
//
// Keys: ['config', …] is read anew after each change of the configuration; ['live', 'calls'] and
// ['live', 'registrations'] are kept up to date by the events themselves.
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { answer, api, type Schemas } from './client'

export type Call = Schemas['Call']
export type Registration = Schemas['Registration']
export type LogRow = Schemas['LogRow']

/** `connecting` lasts until it is worth telling anybody. */
export interface Line {
  state: 'connecting' | 'open' | 'lost'
  /** True where the exchange answers the administration. */
  exchange: boolean
}

interface Hello {
  exchange: boolean
  calls: Call[]
  registrations: Registration[]
}

const CALLS = ['live', 'calls']
const REGISTRATIONS = ['live', 'registrations']
const LOST_AFTER_MS = 4_000
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** A burst of changes is read once. */
const CALM_MS = 150

let line: Line = { state: 'connecting', exchange: true }
const watchers = new Set<() => void>()
const logWatchers = new Set<(row: LogRow) => void>()

function tell(change: Partial<Line>) {
  line = { ...line, ...change }
  for (const watcher of watchers) watcher()
}

/** Listens until the returned function is called. */
export function listen(client: QueryClient): () => void {
  let source: EventSource | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let lost: ReturnType<typeof setTimeout> | undefined
  let calm: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  let tries = 0
  let version: number | undefined

  const configChanged = () => {
    clearTimeout(calm)
    calm = setTimeout(() => void client.invalidateQueries({ queryKey: ['config'] }), CALM_MS)
  }
  const reopen = () => {
    source?.close()
    if (stopped) return
    lost ??= setTimeout(() => tell({ state: 'lost' }), LOST_AFTER_MS)
    clearTimeout(retry)
    retry = setTimeout(look, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)])
  }
  // Tells a session that is over from a box that is away: where it is over, the answer to this comes
  // after somebody has logged in again.
  const look = () => answer(api.GET('/api/v1/session')).then(open, reopen)
  const on = <T>(name: string, act: (data: T) => void) =>
    source?.addEventListener(name, (event) => act(JSON.parse((event as MessageEvent<string>).data) as T))

  function open() {
    if (stopped) return
    source = new EventSource('/api/v1/events')
    source.onerror = reopen
    on<Hello & { config_version: number | null }>('hello', (hello) => {
      clearTimeout(lost)
      lost = undefined
      tries = 0
      tell({ state: 'open', exchange: hello.exchange })
      client.setQueryData(CALLS, hello.calls)
      client.setQueryData(REGISTRATIONS, hello.registrations)
      if (version !== undefined && hello.config_version !== version) configChanged()
      version = hello.config_version ?? version
    })
    on<Call>('call', (call) =>
      client.setQueryData<Call[]>(CALLS, (calls = []) =>
        calls.some(({ id }) => id === call.id) ? calls.map((old) => (old.id === call.id ? call : old)) : [...calls, call],
      ),
    )
    on<{ call: number }>('call_ended', ({ call }) => {
      client.setQueryData<Call[]>(CALLS, (calls = []) => calls.filter(({ id }) => id !== call))
      void client.invalidateQueries({ queryKey: ['history'] })
    })
    on<{ extension: number; registrations: Registration[] }>('registrations', ({ extension, registrations }) =>
      client.setQueryData<Registration[]>(REGISTRATIONS, (all = []) => [
        ...all.filter((one) => one.extension !== extension),
        ...registrations,
      ]),
    )
    on<{ version: number }>('config_changed', (change) => {
      version = change.version
      configChanged()
    })
    on<LogRow>('security', (row) => {
      for (const watcher of logWatchers) watcher(row)
    })
    on<{ reachable: boolean }>('exchange', ({ reachable }) => {
      tell({ exchange: reachable })
      // What happened meanwhile is in the picture that a new stream begins with.
      if (reachable) reopen()
      else {
        client.setQueryData(CALLS, [])
        client.setQueryData(REGISTRATIONS, [])
      }
    })
    on('bye', () => {
      source?.close()
      tries = 0
      void look()
    })
  }

  open()
  return () => {
    stopped = true
    source?.close()
    clearTimeout(retry)
    clearTimeout(lost)
    clearTimeout(calm)
    line = { state: 'connecting', exchange: true }
  }
}

/** How the line to the box is. */
export function useLine(): Line {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => line,
  )
}

/** Calls under `act` each new row of the Security log; returns how to stop. */
export function onSecurityRow(act: (row: LogRow) => void): () => void {
  logWatchers.add(act)
  return () => logWatchers.delete(act)
}

/** Calls under way, live. */
export function useCalls() {
  return useQuery({
    queryKey: CALLS,
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/calls', { signal }))).calls,
    staleTime: Infinity,
  })
}

/** Registered phones, live. */
export function useRegistrations() {
  return useQuery({
    queryKey: REGISTRATIONS,
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/registrations', { signal }))).registrations,
    staleTime: Infinity,
  })
}
