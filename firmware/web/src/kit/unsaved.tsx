// What was typed and isn't saved is not lost by a click beside: leaving asks first.
import i18next from 'i18next'
import { useCallback, useEffect, useState } from 'react'
import { confirm } from './confirm'
import { startRouting } from './route'

/** What would be lost: what was typed, or a file on its way. */
type Loss = 'changes' | 'file'

const unsaved = new Map<symbol, Loss>()

let asking = false

async function ask(): Promise<boolean> {
  // The key that answers the question is not another try to leave.
  if (asking) return false
  asking = true
  try {
    return await question()
  } finally {
    asking = false
  }
}

function question(): Promise<boolean> {
  const file = [...unsaved.values()].includes('file')
  return confirm({
    title: file ? i18next.t('unsaved.file_title') : i18next.t('unsaved.title'),
    text: file ? i18next.t('unsaved.file_text') : i18next.t('unsaved.text'),
    yes: file ? i18next.t('unsaved.file_stop') : i18next.t('unsaved.discard'),
    no: file ? i18next.t('unsaved.file_stay') : i18next.t('unsaved.stay'),
    danger: true,
  })
}

/** Tells of unsaved changes while `dirty`. Returns how to leave: after asking, or at once when saved. */
export function useUnsaved(dirty: boolean, loss: Loss = 'changes'): (leave: () => void, saved?: boolean) => Promise<void> {
  const [own] = useState(() => Symbol('unsaved'))
  useEffect(() => {
    if (!dirty) return
    unsaved.set(own, loss)
    return () => void unsaved.delete(own)
  }, [dirty, own, loss])
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
