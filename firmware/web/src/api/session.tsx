// Who is logged in, and what they may do.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { answer, api, type Schemas } from './client'
import { Problem } from './problem'

export type Session = Schemas['SessionInfo']

/** What the page begins with. */
export type Start = { is: 'first-visit'; account: string } | { is: 'logged-out' } | { is: 'logged-in'; session: Session }

const START = ['start'] as const

async function start(): Promise<Start> {
  const first = await answer(api.GET('/api/v1/first-visit'))
  if (first.needed) return { is: 'first-visit', account: first.account }
  try {
    return { is: 'logged-in', session: await answer(api.GET('/api/v1/session')) }
  } catch (error) {
    if (Problem.from(error).code === 'not_logged_in') return { is: 'logged-out' }
    throw error
  }
}

export function useStart() {
  return useQuery({ queryKey: START, queryFn: start, staleTime: Infinity, gcTime: Infinity, retry: 2 })
}

export function useSetStart() {
  const client = useQueryClient()
  return (value: Start) => {
    // What one person saw is not for the next.
    if (value.is !== 'logged-in') client.removeQueries({ predicate: (query) => query.queryKey[0] !== START[0] })
    client.setQueryData<Start>(START, value)
  }
}

export function logIn(name: string, password: string): Promise<Session> {
  return answer(api.POST('/api/v1/session', { body: { name, password } }))
}

export const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('used outside of a session')
  return session
}

/** True where the one who is logged in may change the configuration. */
export function useMayWrite(): boolean {
  return useSession().user.role === 'read_write'
}
