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
  /** True where the exchange runs, but not with what was saved last. */
  behind: boolean
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
/** Phones of a whole company that come back together are drawn so often. */
const DRAWN_MS = 250
/** The exchange takes what was saved at once, or not at all. */
const TAKEN_MS = 4_000
/** Somebody who guesses passwords has them read no oftener. */
const LOGINS_MS = 1_000
/** A call that ended is in the history by then, mostly. */
const RECORDED_MS = 300
/** What was measured of a call is told a second after its end at the latest, and stored a second later. */
const MEASURED_MS = 2_500

const AT_FIRST: Line = { state: 'connecting', exchange: true, behind: false }

let line = AT_FIRST
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
  let inForce: number | undefined
  let late: ReturnType<typeof setTimeout> | undefined
  let drawn: ReturnType<typeof setTimeout> | undefined
  // What came since it was last drawn; a call that is over is null.
  const calls = new Map<number, Call | null>()
  const phones = new Map<number, Registration[]>()

  const draw = () => {
    drawn = undefined
    if (calls.size + phones.size === 0) return
    if (calls.size > 0) {
      const changed = new Map(calls)
      calls.clear()
      client.setQueryData<Call[]>(CALLS, (all = []) => {
        const known = all.map((call) => (changed.has(call.id) ? changed.get(call.id)! : call))
        for (const { id } of all) changed.delete(id)
        return [...known, ...changed.values()].filter((call) => call !== null)
      })
    }
    if (phones.size > 0) {
      const changed = new Map(phones)
      phones.clear()
      client.setQueryData<Registration[]>(REGISTRATIONS, (all = []) => [
        ...all.filter(({ extension }) => !changed.has(extension)),
        ...[...changed.values()].flat(),
      ])
    }
    // The first is drawn at once, what comes soon after it together.
    drawn = setTimeout(draw, DRAWN_MS)
  }
  const drawSoon = () => {
    if (!drawn) draw()
  }
  const picture = (now: { calls: Call[]; registrations: Registration[] }) => {
    calls.clear()
    phones.clear()
    // What was asked for before is older than this.
    void client.cancelQueries({ queryKey: CALLS })
    void client.cancelQueries({ queryKey: REGISTRATIONS })
    client.setQueryData(CALLS, now.calls)
    client.setQueryData(REGISTRATIONS, now.registrations)
  }
  const compare = () => {
    const behind = version !== undefined && inForce !== undefined && inForce < version
    if (!behind) {
      clearTimeout(late)
      late = undefined
      if (line.behind) tell({ behind: false })
    } else late ??= setTimeout(() => tell({ behind: true }), TAKEN_MS)
  }
  const lookInForce = () =>
    void answer(api.GET('/api/v1/status')).then(
      ({ exchange }) => {
        if (stopped || !exchange) return
        inForce = Math.max(inForce ?? 0, exchange.config_version)
        compare()
      },
      () => undefined,
    )

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
      picture(hello)
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
      inForce = undefined
      compare()
      if (hello.exchange) lookInForce()
    })
    on('call', (call) => {
      calls.set(call.id, call)
      drawSoon()
    })
    on('call_ended', ({ call }) => {
      calls.set(call, null)
      drawSoon()
      historyChanged()
    })
    on('registrations', ({ extension, registrations }) => {
      phones.set(extension, registrations)
      drawSoon()
      loginsChanged()
    })
    on('interface', interfacesChanged)
    on('config_changed', (change) => {
      version = change.version
      compare()
      configChanged()
    })
    on('config_in_force', (taken) => {
      inForce = taken.version
      compare()
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
        picture({ calls: [], registrations: [] })
        inForce = undefined
        compare()
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
    clearTimeout(late)
    clearTimeout(drawn)
    line = AT_FIRST
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
