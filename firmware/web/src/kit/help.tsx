// Context help: one short text per page and dialog, in src/help/<language>/<id>.md.
import { ActionIcon, Tooltip } from '@mantine/core'
import { IconHelp } from '@tabler/icons-react'
import { useEffect, useLayoutEffect, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { later } from './later'
import { useShortcut } from './shortcut'

const HelpDrawer = later(async () => (await import('./HelpDrawer')).HelpDrawer)

let page: string | null = null
let opened: string | null = null
/** Those of the dialogs that are shown, the uppermost last. */
let dialogs: string[] = []
/** It was opened once: it goes as it came, slowly. */
let wanted = false
const watchers = new Set<() => void>()

function watch(watcher: () => void) {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

function tell() {
  for (const watcher of watchers) watcher()
}

export function openHelp(id: string) {
  opened = id
  wanted = true
  tell()
}

export function closeHelp() {
  opened = null
  tell()
}

/** Escape closes Help, and not the dialog that it lies upon. */
function onEscape(event: KeyboardEvent) {
  if (opened === null || event.key !== 'Escape' || event.isComposing) return
  event.stopImmediatePropagation()
  closeHelp()
}

/** Says which text belongs to the page that is shown. */
export function usePageHelp(id: string) {
  useEffect(() => {
    page = id
    tell()
    return () => {
      page = null
      opened = null
      tell()
    }
  }, [id])
}

/** The question mark; without an id for the page that is shown. */
export function HelpButton({ id, size = 'lg' }: { id?: string; size?: string }) {
  const { t } = useTranslation()
  const shown = useSyncExternalStore(watch, () => page)
  const target = id ?? shown
  useEffect(() => {
    if (!id) return
    dialogs = [...dialogs, id]
    return () => {
      const at = dialogs.lastIndexOf(id)
      dialogs = dialogs.filter((_, index) => index !== at)
    }
  }, [id])
  return (
    <Tooltip label={t('help.open')}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={size}
        aria-label={t('help.open')}
        disabled={!target}
        onClick={() => target && openHelp(target)}
      >
        <IconHelp size={20} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  )
}

/** Where help appears; the frame has one. */
export function HelpHost() {
  const id = useSyncExternalStore(watch, () => opened)
  // Sooner than those of any dialog, which listen in the same way.
  useLayoutEffect(() => {
    window.addEventListener('keydown', onEscape, { capture: true })
    return () => window.removeEventListener('keydown', onEscape, { capture: true })
  }, [])
  useShortcut(
    '?',
    () => {
      const target = dialogs.at(-1) ?? page
      if (opened !== null) closeHelp()
      else if (target) openHelp(target)
    },
    { under: true },
  )
  return wanted && <HelpDrawer id={id} onClose={closeHelp} />
}
