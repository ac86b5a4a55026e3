// What the history is filtered and sorted by. It stands in the address, so that a link shows the same.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, type Schemas } from '../../api/client'
import type { paths } from '../../api/schema'

export type HistoryCall = Schemas['HistoryCall']
type Query = NonNullable<paths['/api/v1/call-history']['get']['parameters']['query']>
export type Filter = Pick<Query, 'from' | 'until' | 'number' | 'disposition'>

export const PAGE = 100
export const PERIODS = ['today', 'yesterday', 'week', 'month', 'chosen'] as const
export const SORTS = ['started', 'caller', 'dialled', 'disposition', 'duration'] as const
export const DISPOSITIONS: Schemas['Disposition'][] = [
  'answered', 'no_answer', 'busy', 'cancelled', 'rejected', 'unreachable', 'unknown_number', 'not_permitted', 'failed', 'interrupted',
]

/** Midnight so many days after `day`, in the time of the reader. */
function midnight(day: Date, days = 0): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days)
}

function dayOf(text: string | null): Date | undefined {
  const day = text ? new Date(`${text}T00:00:00`) : undefined
  return day && !Number.isNaN(day.getTime()) ? day : undefined
}

/** From when until when, as the address says it. */
export function period(search: URLSearchParams, now: Date): { from?: Date; until?: Date } {
  switch (search.get('period')) {
    case 'today':
      return { from: midnight(now) }
    case 'yesterday':
      return { from: midnight(now, -1), until: midnight(now) }
    case 'week':
      return { from: midnight(now, -6) }
    case 'month':
      return { from: midnight(now, -29) }
    case 'chosen': {
      const last = dayOf(search.get('until'))
      return { from: dayOf(search.get('from')), until: last && midnight(last, 1) }
    }
    default:
      return {}
  }
}

export function filterOf(search: URLSearchParams, now = new Date()): Filter {
  const { from, until } = period(search, now)
  return {
    from: from?.toISOString(),
    until: until?.toISOString(),
    number: search.get('number') || undefined,
    disposition: DISPOSITIONS.find((one) => one === search.get('result')),
  }
}

export function sortOf(search: URLSearchParams) {
  return {
    column: SORTS.find((one) => one === search.get('sort')) ?? 'started',
    down: search.get('order') !== 'ascending',
  }
}

export function offsetOf(search: URLSearchParams): number {
  const page = Number(search.get('page') ?? 1)
  return Number.isInteger(page) && page > 1 ? (page - 1) * PAGE : 0
}

/** Where all that the filter lets through is as a file. */
export function exportUrl(filter: Filter): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const query = new URLSearchParams(given)
  return `/api/v1/call-history.csv${query.size > 0 ? `?${query}` : ''}`
}

/** A page of the history; the page before stays until the next is there. */
export function useHistory(search: URLSearchParams) {
  const { column, down } = sortOf(search)
  const query: Query = {
    ...filterOf(search),
    sort: column,
    order: down ? 'descending' : 'ascending',
    offset: offsetOf(search),
    limit: PAGE,
  }
  return useQuery({
    queryKey: ['history', query],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/call-history', { params: { query }, signal })),
    placeholderData: keepPreviousData,
  })
}

export function useHistoryCall(id: string) {
  return useQuery({
    queryKey: ['history', 'call', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/call-history/{id}', { params: { path: { id: Number(id) } }, signal })),
  })
}
