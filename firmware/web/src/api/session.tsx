// Who is logged in, and what they may do.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { adoptLanguage, type Language, setLanguage } from '../i18n'
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
    const session = await answer(api.GET('/api/v1/session'))
    await adoptLanguage(session.user.language)
    return { is: 'logged-in', session }
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

export async function logIn(name: string, password: string): Promise<Session> {
  const session = await answer(api.POST('/api/v1/session', { body: { name, password } }))
  await adoptLanguage(session.user.language)
  return session
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

/** Chooses the language of the pages, and keeps it with the account of whoever is logged in. */
export function useChooseLanguage() {
  const session = useContext(SessionContext)
  const client = useQueryClient()
  return async (language: Language) => {
    await setLanguage(language)
    if (!session || session.user.language === language) return
    // The choice holds in this browser even where the box can't be told.
    await keepLanguage(language).then(
      (session) => {
        const start: Start = { is: 'logged-in', session }
        client.setQueryData(START, start)
      },
      () => undefined,
    )
  }
}

/** Keeps the language with the account of whoever is logged in. */
export function keepLanguage(language: Language): Promise<Session> {
  return answer(api.PUT('/api/v1/session/language', { body: { language } }))
}
