// A time: short in the text, in full in its title, and never out of date.
import { useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { absolute, brief, duration, relative } from './time'

const watchers = new Set<() => void>()
let now = Date.now()
let ticking: ReturnType<typeof setInterval> | undefined

function watch(watcher: () => void) {
  watchers.add(watcher)
  now = Date.now()
  ticking ??= setInterval(() => {
    now = Date.now()
    for (const each of watchers) each()
  }, 1000)
  return () => {
    watchers.delete(watcher)
    if (watchers.size === 0) {
      clearInterval(ticking)
      ticking = undefined
    }
  }
}

/** The time now, once a second. `grain_s` makes it coarser, so that less is drawn. */
export function useNow(grain_s = 1): number {
  return useSyncExternalStore(watch, () => Math.floor(now / 1000 / grain_s) * grain_s * 1000)
}

export function Time({ at, as = 'relative' }: { at: string; as?: 'relative' | 'brief' | 'absolute' }) {
  useTranslation()
  const instant = useNow(5)
  const full = absolute(at)
  const text = as === 'absolute' ? full : as === 'brief' ? brief(at, instant) : relative(at, instant)
  return (
    <time dateTime={at} title={as === 'absolute' ? relative(at, instant) : full} className="figures">
      {text}
    </time>
  )
}

/** How long something has lasted, counting. */
export function Running({ since }: { since: string }) {
  const instant = useNow()
  return (
    <time dateTime={since} title={absolute(since)} className="figures">
      {duration((instant - Date.parse(since)) / 1000)}
    </time>
  )
}
