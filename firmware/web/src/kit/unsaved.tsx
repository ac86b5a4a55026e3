// What was typed and isn't saved is not lost by a click beside: leaving asks first.
import i18next from 'i18next'
import { useCallback, useEffect, useState } from 'react'
import { confirm } from './confirm'
import { startRouting } from './route'

const unsaved = new Set<symbol>()

function ask(): Promise<boolean> {
  return confirm({
    title: i18next.t('unsaved.title'),
    text: i18next.t('unsaved.text'),
    yes: i18next.t('unsaved.discard'),
    no: i18next.t('unsaved.stay'),
    danger: true,
  })
}

/** Tells of unsaved changes while `dirty`. Returns how to leave: after asking, or at once when saved. */
export function useUnsaved(dirty: boolean): (leave: () => void, saved?: boolean) => Promise<void> {
  const [own] = useState(() => Symbol('unsaved'))
  useEffect(() => {
    if (!dirty) return
    unsaved.add(own)
    return () => void unsaved.delete(own)
  }, [dirty, own])
  return useCallback(
    async (leave, saved = false) => {
      if (!saved && unsaved.has(own) && !(await ask())) return
      unsaved.delete(own)
      leave()
    },
    [own],
  )
}

/** Asks before another page takes the place of unsaved changes; the frame has one. */
export function UnsavedGuard() {
  useEffect(() => {
    const stop = startRouting({
      holds: () => unsaved.size > 0,
      ask: async () => {
        const leave = await ask()
        if (leave) unsaved.clear()
        return leave
      },
    })
    const unload = (event: BeforeUnloadEvent) => {
      if (unsaved.size > 0) event.preventDefault()
    }
    window.addEventListener('beforeunload', unload)
    return () => {
      stop()
      window.removeEventListener('beforeunload', unload)
    }
  }, [])
  return null
}
