// Which row a page's dialog shows, by the address: `/users/new`, `/users/7`.
import { useCallback } from 'react'
import { go, parts, usePlace } from './route'

export type Edited<R> = { is: 'none' } | { is: 'new' } | { is: 'row'; row: R } | { is: 'gone' }

/** `base` is the page's path. */
export function useEdited<R extends { id: number }>(base: string, rows: R[] | undefined) {
  const { id } = parts(usePlace().pathname)
  const open = useCallback((to: number | 'new') => void go(`/${base}/${to}`), [base])
  const close = useCallback(() => void go(`/${base}`), [base])
  let edited: Edited<R> = { is: 'none' }
  if (id === 'new') edited = { is: 'new' }
  else if (id !== undefined && rows) {
    const row = rows.find((row) => String(row.id) === id)
    edited = row ? { is: 'row', row } : { is: 'gone' }
  }
  return { edited, open, close }
}
