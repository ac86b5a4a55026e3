// What the configuration lists, read anew after each change of it.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { answer, api, type Schemas } from './client'

export type User = Schemas['User']
export type Extension = Schemas['Extension']

export function useUsers() {
  return useQuery({
    queryKey: ['config', 'users'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/users', { signal }))).users,
  })
}

export function useExtensions() {
  return useQuery({
    queryKey: ['config', 'extensions'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/extensions', { signal }))).extensions,
  })
}

/** Reads the configuration again: after one's own change, and where somebody else was faster. */
export function useRefresh(): () => Promise<void> {
  const client = useQueryClient()
  return useCallback(() => client.invalidateQueries({ queryKey: ['config'] }), [client])
}

/** The first unused number from `first` on. */
export async function suggestNumber(first?: string): Promise<string> {
  const { number } = await answer(api.GET('/api/v1/extensions/suggestion', { params: { query: { first } } }))
  return number
}

export function path(id: number, etag: string) {
  return { path: { id }, header: { 'If-Match': etag } }
}
