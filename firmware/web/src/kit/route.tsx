// Where in the product one is: the address below /admin, links, going back and forth. Leaving a
// place can be refused (unsaved changes), by the browser's buttons too.
import { type AnchorHTMLAttributes, type MouseEvent, type Ref, useCallback, useMemo, useSyncExternalStore } from 'react'

const BASE = '/admin'

export interface Place {
  pathname: string
  search: string
}

interface Guard {
  /** True where leaving has to be asked for. */
  holds: () => boolean
  ask: () => Promise<boolean>
}

const watchers = new Set<() => void>()
let guard: Guard | null = null
/** How far into the history of this page one is: tells back from forward. */
let index = 0
/** A step that only takes back one that was refused. */
let undoing = false

function read(): Place {
  const { pathname, search } = window.location
  return { pathname: pathname.slice(BASE.length).replace(/\/+$/, '') || '/', search }
}

let place: Place = typeof window === 'undefined' ? { pathname: '/', search: '' } : read()

function tell() {
  place = read()
  for (const watcher of watchers) watcher()
}

async function mayLeave(): Promise<boolean> {
  return !guard?.holds() || (await guard.ask())
}

/** Goes to an address below /admin. */
export async function go(to: string, { replace = false } = {}): Promise<void> {
  const stays = to.split('?')[0] === place.pathname
  if (!stays && !(await mayLeave())) return
  if (replace) history.replaceState({ index }, '', BASE + to)
  else history.pushState({ index: ++index }, '', BASE + to)
  if (!stays) window.scrollTo(0, 0)
  tell()
}

async function onPop(event: PopStateEvent) {
  const to = (event.state as { index?: number } | null)?.index ?? 0
  const steps = to - index
  if (undoing) {
    undoing = false
    return
  }
  if (guard?.holds() && steps !== 0) {
    undoing = true
    history.go(-steps)
    // Once left, nothing holds any more.
    if (await guard.ask()) history.go(steps)
    return
  }
  index = to
  tell()
}

/** Starts following the browser's buttons; returns how to stop. */
export function startRouting(ask: Guard): () => void {
  guard = ask
  const pop = (event: PopStateEvent) => void onPop(event)
  index = (history.state as { index?: number } | null)?.index ?? 0
  window.addEventListener('popstate', pop)
  return () => {
    guard = null
    window.removeEventListener('popstate', pop)
  }
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => place,
  )
}

/** What the address asks for after `?`, and how to change it. */
export function useSearch(): [URLSearchParams, (change: Record<string, string | null>) => void] {
  const { search } = usePlace()
  const params = useMemo(() => new URLSearchParams(search), [search])
  const set = useCallback((change: Record<string, string | null>) => {
    const next = new URLSearchParams(place.search)
    for (const [name, value] of Object.entries(change)) {
      if (value) next.set(name, value)
      else next.delete(name)
    }
    void go(`${place.pathname}${next.size > 0 ? `?${next}` : ''}`, { replace: true })
  }, [])
  return [params, set]
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; ref?: Ref<HTMLAnchorElement> }

/** A link within the product; another tab and the like go the browser's way. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    void go(to)
  }
  return <a {...rest} href={BASE + to} onClick={follow} />
}

/** `/users/7` is page `users` and its row `7`. */
export function parts(pathname: string): { page: string; id?: string } {
  const [page = '', id, ...more] = pathname.slice(1).split('/').map(decodeURIComponent)
  return more.length > 0 ? { page: pathname.slice(1) } : { page, id }
}
