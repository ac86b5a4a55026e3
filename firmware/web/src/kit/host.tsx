// Where parts appear that lie upon everything, and are loaded only by who shows them.
import { Fragment, type ReactNode, useSyncExternalStore } from 'react'

let parts: readonly { key: string; node: ReactNode }[] = []
const watchers = new Set<() => void>()

/** Shows a part in the place of the one with this key; null takes it away. */
export function host(key: string, node: ReactNode) {
  parts = [...parts.filter((part) => part.key !== key), ...(node === null ? [] : [{ key, node }])]
  for (const watcher of watchers) watcher()
}

/** The frame has one. */
export function Host() {
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => parts,
  )
  return shown.map(({ key, node }) => <Fragment key={key}>{node}</Fragment>)
}
