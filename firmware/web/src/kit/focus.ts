// Where the keyboard is goes back to what opened a dialog or a menu, once that is gone. Where it is gone too
// (its row was removed), the list's search or the button that adds is next.

const LAYERS = '[role="dialog"], [role="menu"]'

/** What opened each layer. */
const openers = new WeakMap<Element, Opener>()
/** Layers that are shown, the newest last. */
const shown = new Set<Element>()

interface Opener {
  element: HTMLElement
  /** The row of a list that it is in. */
  row?: string
}

function opener(element: HTMLElement): Opener {
  return { element, row: element.closest<HTMLElement>('tr[data-row]')?.dataset.row }
}

const usable = (element: HTMLElement) => element.isConnected && element.getClientRects().length > 0 && !element.matches(':disabled')

/** Goes to where a page is used by the keyboard first: its search, what adds, its heading. */
export function focusHome() {
  const main = document.querySelector('main')
  // On a touch screen a field brings up a keyboard that nobody asked for.
  const search = window.matchMedia('(pointer: coarse)').matches ? [] : ['input[type="search"]']
  const home = [...search, '[data-add]', 'h1'].flatMap((place) => [...(main?.querySelectorAll<HTMLElement>(place) ?? [])]).find(usable)
  if (home?.matches('h1')) home.tabIndex = -1
  home?.focus({ preventScroll: true })
}

/** True where nothing on the page has the keyboard. */
export const isLost = () => document.activeElement === null || document.activeElement === document.body

function goBack(layer: Element) {
  if (!isLost()) return
  let last: string | undefined
  for (let next = openers.get(layer); next; ) {
    const { element, row } = next
    if (usable(element)) return element.focus({ preventScroll: true })
    last ??= row
    const above = element.closest(LAYERS)
    next = above && above !== layer ? openers.get(above) : undefined
  }
  const row = last === undefined ? null : document.querySelector<HTMLElement>(`main tr[data-row="${CSS.escape(last)}"]`)
  if (row && usable(row)) row.focus({ preventScroll: true })
  else focusHome()
}

/** Starts looking after the keyboard; returns how to stop. */
export function keepFocus(): () => void {
  const watcher = new MutationObserver(() => {
    const gone = [...shown].filter((layer) => !layer.isConnected)
    for (const layer of gone) shown.delete(layer)
    if (shown.size === 0) watcher.disconnect()
    // What takes its place is given the time to take the keyboard.
    if (gone[0]) setTimeout(goBack, 0, gone[0])
  })
  let last: HTMLElement | null = null
  const onFocus = (event: FocusEvent) => {
    const to = event.target
    if (!(to instanceof HTMLElement)) return
    const layer = to.closest(LAYERS)
    if (layer && !openers.has(layer)) {
      const from = event.relatedTarget instanceof HTMLElement ? event.relatedTarget : last
      if (from && from !== document.body && !layer.contains(from)) openers.set(layer, opener(from))
      if (shown.size === 0) watcher.observe(document.body, { childList: true, subtree: true })
      shown.add(layer)
    }
    last = to
  }
  document.addEventListener('focusin', onFocus)
  return () => {
    watcher.disconnect()
    shown.clear()
    document.removeEventListener('focusin', onFocus)
  }
}
