// The drawer with a help text.
import { Drawer, Skeleton, Stack, Typography } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { language } from '../i18n'

const texts = import.meta.glob<string>('../help/*/*.md', { import: 'default' })

/** `id`: the text to be shown; null while it is closed. */
export function HelpDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { t } = useTranslation()
  const lang = language()
  const [text, setText] = useState<{ of: string; html: string } | null>(null)
  const path = id ? `../help/${lang}/${id}.md` : null
  useEffect(() => {
    if (!path) return
    void texts[path]?.().then((html) => setText({ of: path, html }))
  }, [path])
  return (
    <Drawer
      opened={id !== null}
      onClose={onClose}
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
