// Live events (server-sent events), put where the pages find them: in the cache of what was read.
//
// Keys: ['config', …] is read anew after each change of the configuration; ['live', 'calls'] and
// ['live', 'registrations'] are kept up to date by the events themselves.
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { answer, api, type Schemas } from './client'

export type Call = Schemas['Call']
export type Registration = Schemas['Registration']
export type Logged = Schemas['Logged']

/** `connecting` lasts until it is worth telling anybody. */
export interface Line {
  state: 'connecting' | 'open' | 'lost'
  /** True where the exchange answers the administration. */
  exchange: boolean
}

type Events = Schemas['EventData']

const CALLS = ['live', 'calls']
const REGISTRATIONS = ['live', 'registrations']
const INTERFACES = ['config', 'interfaces']
const FAILED_LOGINS = ['live', 'failed-logins']
const DASHBOARD = ['config', 'dashboard']
const LOST_AFTER_MS = 4_000
/** Three heartbeats. */
const SILENT_MS = 45_000
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** A burst of changes is read once. */
const CALM_MS = 150
/** Somebody who guesses passwords has them read no oftener. */
const LOGINS_MS = 1_000
/** A call that ended is in the history by then, mostly. */
const RECORDED_MS = 300
/** What was measured of a call is told a second after its end at the latest, and stored a second later. */
const MEASURED_MS = 2_500

let line: Line = { state: 'connecting', exchange: true }
const watchers = new Set<() => void>()
const logWatchers = new Set<(row: Logged) => void>()

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
  let silence: ReturnType<typeof setTimeout> | undefined
  let recorded: ReturnType<typeof setTimeout> | undefined
  let measured: ReturnType<typeof setTimeout> | undefined
  let moved: ReturnType<typeof setTimeout> | undefined
  let logins: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  let tries = 0
  let version: number | undefined

  const configChanged = () => {
    clearTimeout(calm)
    calm = setTimeout(() => void client.invalidateQueries({ queryKey: ['config'] }), CALM_MS)
  }
  // Their states are read with them; several may change at once.
  const interfacesChanged = () => {
    moved ??= setTimeout(() => {
      moved = undefined
      void client.invalidateQueries({ queryKey: INTERFACES })
    }, CALM_MS)
  }
  // The Security log tells of each, and who is let in ends it.
  const loginsChanged = () => {
    logins ??= setTimeout(() => {
      logins = undefined
      void client.invalidateQueries({ queryKey: FAILED_LOGINS })
      void client.invalidateQueries({ queryKey: DASHBOARD })
    }, LOGINS_MS)
  }
  const readHistory = () => void client.invalidateQueries({ queryKey: ['history'] })
  const historyChanged = () => {
    recorded ??= setTimeout(() => {
      recorded = undefined
      readHistory()
    }, RECORDED_MS)
    // How it sounded comes after the call; a busy exchange has one such wait for all of them.
    clearTimeout(measured)
    measured = setTimeout(readHistory, MEASURED_MS)
  }
  const reopen = () => {
    source?.close()
    clearTimeout(silence)
    if (stopped) return
    lost ??= setTimeout(() => tell({ state: 'lost' }), LOST_AFTER_MS)
    clearTimeout(retry)
    retry = setTimeout(look, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)])
  }
  // Tells a session that is over from a box that is away: where it is over, the answer to this comes
  // after somebody has logged in again.
  const look = () => answer(api.GET('/api/v1/session')).then(open, reopen)
  const on = <N extends keyof Events>(name: N, act: (data: Events[N]) => void) =>
    source?.addEventListener(name, (event) => {
      alive()
      act(JSON.parse((event as MessageEvent<string>).data) as Events[N])
    })
  // A connection that died without a word is given up.
  const alive = () => {
    clearTimeout(silence)
    silence = setTimeout(reopen, SILENT_MS)
  }

  function open() {
    if (stopped) return
    source = new EventSource('/api/v1/events')
    source.onerror = reopen
    on('hello', (hello) => {
      clearTimeout(lost)
      lost = undefined
      tries = 0
      tell({ state: 'open', exchange: hello.exchange })
      client.setQueryData(CALLS, hello.calls)
      client.setQueryData(REGISTRATIONS, hello.registrations)
      if (version !== undefined && hello.config_version !== version) configChanged()
      if (version !== undefined) {
        loginsChanged()
        // Calls ended while nobody told of them, and an exchange that crashed has written down which.
        historyChanged()
        interfacesChanged()
        // It may have another system now.
        void client.invalidateQueries({ queryKey: ['machine'] })
      }
      version = hello.config_version ?? version
    })
    on('call', (call) =>
      client.setQueryData<Call[]>(CALLS, (calls = []) =>
        calls.some(({ id }) => id === call.id) ? calls.map((old) => (old.id === call.id ? call : old)) : [...calls, call],
      ),
    )
    on('call_ended', ({ call }) => {
      client.setQueryData<Call[]>(CALLS, (calls = []) => calls.filter(({ id }) => id !== call))
      historyChanged()
    })
    on('registrations', ({ extension, registrations }) => {
      client.setQueryData<Registration[]>(REGISTRATIONS, (all = []) => [
        ...all.filter((one) => one.extension !== extension),
        ...registrations,
      ])
      loginsChanged()
    })
    on('interface', interfacesChanged)
    on('config_changed', (change) => {
      version = change.version
      configChanged()
    })
    on('log', (logged) => {
      if (logged.log === 'security') loginsChanged()
      for (const watcher of logWatchers) watcher(logged)
    })
    on('heartbeat', () => undefined)
    on('exchange', ({ reachable }) => {
      tell({ exchange: reachable })
      // What happened meanwhile is in the picture that a new stream begins with.
      if (reachable) reopen()
      else {
        client.setQueryData(CALLS, [])
        client.setQueryData(REGISTRATIONS, [])
        interfacesChanged()
      }
    })
    on('bye', () => {
      source?.close()
      clearTimeout(silence)
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
    clearTimeout(silence)
    clearTimeout(calm)
    clearTimeout(recorded)
    clearTimeout(measured)
    clearTimeout(moved)
    clearTimeout(logins)
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

/** Calls `act` with each new row of any log; returns how to stop. */
export function onLogged(act: (row: Logged) => void): () => void {
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

/** Phones that were not let in, live: nothing where the exchange does not run. */
export function useFailedLogins() {
  const { exchange } = useLine()
  return useQuery({
    queryKey: FAILED_LOGINS,
    queryFn: ({ signal }) => answer(api.GET('/api/v1/failed-logins', { signal })),
    enabled: exchange,
  })
}

/** The phone that an extension had last; to be shown where it has none. */
export function useLastPhone(extension: number) {
  const { exchange } = useLine()
  return useQuery({
    queryKey: ['live', 'last-phone', extension],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/extensions/{id}/last-phone', { params: { path: { id: extension } }, signal }))).phone,
    enabled: exchange,
    staleTime: 0,
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
