// Context help: one short text per page and dialog, in src/help/<language>/<id>.md.
import { ActionIcon, Drawer, Skeleton, Stack, Tooltip, Typography } from '@mantine/core'
import { IconHelp } from '@tabler/icons-react'
import { useEffect, useLayoutEffect, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { language } from '../i18n'

const texts = import.meta.glob<string>('../help/*/*.md', { import: 'default' })

let page: string | null = null
let opened: string | null = null
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
  tell()
}

function closeHelp() {
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
export function HelpDrawer() {
  const { t } = useTranslation()
  const id = useSyncExternalStore(watch, () => opened)
  const lang = language()
  const [text, setText] = useState<{ of: string; html: string } | null>(null)
  // Sooner than those of any dialog, which listen in the same way.
  useLayoutEffect(() => {
    window.addEventListener('keydown', onEscape, { capture: true })
    return () => window.removeEventListener('keydown', onEscape, { capture: true })
  }, [])
  const path = id ? `../help/${lang}/${id}.md` : null
  useEffect(() => {
    if (!path) return
    void texts[path]?.().then((html) => setText({ of: path, html }))
  }, [path])
  return (
    <Drawer
      opened={id !== null}
      onClose={closeHelp}
      closeOnEscape={false}
      position="right"
      size="md"
      zIndex={350}
      title={t('help.title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {text && text.of === path ? (
        // The texts are ours, made into HTML when the pages were built.
        <Typography fz="sm" dangerouslySetInnerHTML={{ __html: text.html }} />
      ) : (
        <Stack>
          <Skeleton h={24} w="60%" />
          <Skeleton h={80} />
        </Stack>
      )}
    </Drawer>
  )
}
