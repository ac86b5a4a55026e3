// The machine under the exchange: what runs, how it is, its network, its clock. Where it is somebody else's, there
// is nothing of it.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { answer, api, type Schemas, tagged, type Tagged } from './client'
import { Problem } from './problem'
import { useMayWrite } from './session'

export type Slots = Schemas['Slots']
export type Upgrade = Schemas['Upgrade']
export type Health = Schemas['Health']
export type Network = Tagged<Schemas['Network']>
export type NetworkSettings = Schemas['NetworkSettings']
export type Clock = Tagged<Schemas['Time']>
export type TimeSettings = Schemas['TimeSettings']
export type RemoteMenu = Tagged<Schemas['RemoteMenu']>
export type RemoteMenuSettings = Schemas['RemoteMenuSettings']

const SLOTS = ['machine', 'slots']
const NETWORK = ['machine', 'network']
const CLOCK = ['machine', 'time']
const REMOTE = ['machine', 'remote']
const HEALTH_MS = 5_000
const CLOCK_MS = 15_000
/** Cables and leases come and go. */
const NETWORK_MS = 15_000
/** Who is cut off hears nothing, however long they wait. */
export const ANSWER_MS = 10_000
/** While somebody waits for it. */
const SOON_MS = 2_000
/** The load of the last five minutes. */
const SAMPLES = 60

/** Nothing where the machine is somebody else's. */
export async function orNone<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch (error) {
    if (Problem.from(error).code === 'no_system') return null
    throw error
  }
}

/** What runs, and how far an upgrade is. */
export function useSlots() {
  return useQuery({
    queryKey: SLOTS,
    queryFn: ({ signal }) => orNone(answer(api.GET('/api/v1/system/slots', { signal }))),
    refetchInterval: ({ state: { data } }) => (['writing', 'trying'].includes(data?.upgrade.state ?? '') ? SOON_MS : false),
  })
}

/** `managed` from here, or only `shown`, as a developer's own; or there is nobody to ask. */
export type Kind = 'managed' | 'shown' | 'none'

async function kindOf(signal: AbortSignal): Promise<Kind> {
  try {
    await answer(api.GET('/api/v1/system/slots', { signal }))
    return 'managed'
  } catch (error) {
    const { code } = Problem.from(error)
    // A machine may have no slots and still be ours.
    if (code === 'system_failed') return 'managed'
    if (code !== 'no_system') throw error
  }
  return (await orNone(answer(api.GET('/api/v1/system/time', { signal })))) ? 'shown' : 'none'
}

/** Whose the machine is; `none` until that is known. */
export function useMachine(): Kind {
  const { data } = useQuery({ queryKey: ['machine', 'kind'], queryFn: ({ signal }) => kindOf(signal) })
  return data ?? 'none'
}

/** True where the machine is administered from here, by who looks. */
export function useMayAdminister(): boolean {
  const mayWrite = useMayWrite()
  return useMachine() === 'managed' && mayWrite
}

export function useNetwork() {
  return useQuery({
    queryKey: NETWORK,
    queryFn: ({ signal }) => {
      // Where the network is another one there is no answer at all.
      const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
      return orNone(tagged(api.GET('/api/v1/system/network', { signal: patience })))
    },
    staleTime: 0,
    refetchInterval: ({ state: { data } }) => (typeof data?.confirm_within_s === 'number' ? SOON_MS : NETWORK_MS),
  })
}

export function useClock() {
  return useQuery({
    queryKey: CLOCK,
    queryFn: ({ signal }) => orNone(tagged(api.GET('/api/v1/system/time', { signal }))),
    staleTime: 0,
    refetchInterval: CLOCK_MS,
  })
}

/** The menu over ssh. */
export function useRemoteMenu() {
  return useQuery({
    queryKey: REMOTE,
    queryFn: ({ signal }) => orNone(tagged(api.GET('/api/v1/system/remote-menu', { signal }))),
    staleTime: 0,
  })
}

/** Puts what an answer says where the pages find it. */
export function useTold() {
  const client = useQueryClient()
  return useMemo(() => {
    const at =
      <T>(queryKey: string[]) =>
      (told: T) => {
        // What was asked for before is older.
        void client.cancelQueries({ queryKey })
        client.setQueryData(queryKey, told)
      }
    return { network: at<Network>(NETWORK), clock: at<Clock>(CLOCK), remote: at<RemoteMenu>(REMOTE), slots: at<Slots>(SLOTS) }
  }, [client])
}

/** A look at the load: parts of 1. */
export interface Sample {
  cpu: number
  memory: number
}

export interface Watched {
  now: Health
  /** The oldest first. */
  samples: Sample[]
}

/** How the machine is, and how it was while the page was open. */
export function useHealth() {
  const client = useQueryClient()
  const key = ['machine', 'health']
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Watched | null> => {
      const now = await orNone(answer(api.GET('/api/v1/system/health', { signal })))
      if (!now) return null
      const memory = 1 - now.memory_available_bytes / Math.max(1, now.memory_total_bytes)
      const before = client.getQueryData<Watched | null>(key)?.samples ?? []
      return { now, samples: [...before, { cpu: now.cpu, memory }].slice(-SAMPLES) }
    },
    staleTime: 0,
    refetchInterval: HEALTH_MS,
  })
}
