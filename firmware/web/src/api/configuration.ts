// What the configuration lists, read anew after each change of it.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { answer, api, type Schemas } from './client'
import { Problem } from './problem'

export type User = Schemas['User']
export type Extension = Schemas['Extension']
export type General = Schemas['General']
export type DialPlanLine = Schemas['DialPlanLine']
export type Interface = Schemas['Interface']
export type Route = Schemas['Route']
export type PermissionGroup = Schemas['PermissionGroup']

/** The most rows that one answer has. */
const PAGE = 500

/** The whole of a list: it is searched and sorted here, without a wait. */
async function whole<R>(
  page: (offset: number) => Promise<{ rows: R[]; total: number }>,
  key: (row: R) => string | number,
): Promise<R[]> {
  const { rows, total } = await page(0)
  const more = Array.from({ length: Math.max(0, Math.ceil(total / PAGE) - 1) }, (_, index) => page((index + 1) * PAGE))
  const all = [...rows, ...(await Promise.all(more)).flatMap(({ rows }) => rows)]
  // Where something was added between two answers, a row may be in both.
  return [...new Map(all.map((row) => [key(row), row])).values()]
}

export function useUsers() {
  return useQuery({
    queryKey: ['config', 'users'],
    queryFn: ({ signal }) =>
      whole(
        async (offset) => {
          const params = { query: { offset, limit: PAGE } }
          const { users, total } = await answer(api.GET('/api/v1/users', { params, signal }))
          return { rows: users, total }
        },
        ({ id }) => id,
      ),
  })
}

export function useExtensions() {
  return useQuery({
    queryKey: ['config', 'extensions'],
    queryFn: ({ signal }) =>
      whole(
        async (offset) => {
          const params = { query: { offset, limit: PAGE } }
          const { extensions, total } = await answer(api.GET('/api/v1/extensions', { params, signal }))
          return { rows: extensions, total }
        },
        ({ id }) => id,
      ),
  })
}

export function useDialPlan() {
  return useQuery({
    queryKey: ['config', 'dial-plan'],
    queryFn: ({ signal }) =>
      whole(
        async (offset) => {
          const params = { query: { offset, limit: PAGE } }
          const { lines, total } = await answer(api.GET('/api/v1/dial-plan', { params, signal }))
          return { rows: lines, total }
        },
        ({ number }) => number,
      ),
  })
}

/** The interfaces with how they are: read anew after each change of either. */
export function useInterfaces() {
  return useQuery({
    queryKey: ['config', 'interfaces'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/interfaces', { signal }))).interfaces,
  })
}

export function useRoutes() {
  return useQuery({
    queryKey: ['config', 'routes'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/routes', { signal }))).routes,
  })
}

export function usePermissionGroups() {
  return useQuery({
    queryKey: ['config', 'call-permission-groups'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/call-permission-groups', { signal }))).groups,
  })
}

/** The general settings with their revision, as a form has them. */
export function useGeneral() {
  return useQuery({
    queryKey: ['config', 'general'],
    queryFn: async ({ signal }) => {
      const { data, error, response } = await api.GET('/api/v1/general', { signal })
      if (!data) throw Problem.of(response, error)
      return { values: data, etag: response.headers.get('ETag') ?? '*' }
    },
  })
}

/** The emergency numbers with their revision, as a form has them. */
export function useEmergency() {
  return useQuery({
    queryKey: ['config', 'emergency-numbers'],
    queryFn: async ({ signal }) => {
      const { data, error, response } = await api.GET('/api/v1/emergency-numbers', { signal })
      if (!data) throw Problem.of(response, error)
      return { values: data, etag: response.headers.get('ETag') ?? '*' }
    },
  })
}

/** The fraud protection with its revision, as a form has it. */
export function useFraudProtection() {
  return useQuery({
    queryKey: ['config', 'fraud-protection'],
    queryFn: async ({ signal }) => {
      const { data, error, response } = await api.GET('/api/v1/fraud-protection', { signal })
      if (!data) throw Problem.of(response, error)
      return { values: data, etag: response.headers.get('ETag') ?? '*' }
    },
  })
}

/** What is known of costly numbers of the country. */
export function useFraudPreset() {
  return useQuery({
    queryKey: ['config', 'fraud-preset'],
    queryFn: async ({ signal }) => answer(api.GET('/api/v1/fraud-protection/preset', { signal })),
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
