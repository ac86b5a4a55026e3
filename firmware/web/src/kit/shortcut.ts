// Keys that do something wherever one is, by the sign that they make: on a Czech keyboard `/` and `?` are
// elsewhere than on an English one, and take Shift or AltGr.
import { useEffect, useRef } from 'react'

const WRITES = 'input:not([type="checkbox"], [type="radio"], [type="button"]), textarea, select, [contenteditable="true"]'

/** True where the key writes something, or belongs to the browser. */
export function isTyped(event: KeyboardEvent): boolean {
  const altGr = event.getModifierState('AltGraph')
  if (event.defaultPrevented || event.isComposing || event.metaKey || ((event.ctrlKey || event.altKey) && !altGr)) return true
  return event.target instanceof Element && event.target.closest(WRITES) !== null
}

/** Does something when `key` is pressed, but not while somebody writes; `under` dialogs too where it says so. */
export function useShortcut(key: string, act: () => void, { under = false } = {}) {
  const latest = useRef(act)
  useEffect(() => {
    latest.current = act
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== key || isTyped(event)) return
      if (!under && document.querySelector('[role="dialog"]')) return
      event.preventDefault()
      latest.current()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [key, under])
}
