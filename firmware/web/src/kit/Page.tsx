// A page: its heading, its help, its name in the browser's tab.
import { Group, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import classes from './Page.module.css'
import { usePageHelp } from './help'

interface Props {
  /** Names the page's help text. */
  id: string
  title: string
  /** A few words beside the heading, such as a count. */
  note?: ReactNode
  actions?: ReactNode
  /** As high as the window: what is in it scrolls by itself. */
  fill?: boolean
  children: ReactNode
}

export const PRODUCT = 'Operator Box'

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} – ${PRODUCT}`
  }, [title])
}

export function usePageTitleAndHelp(help: string, title: string) {
  usePageHelp(help)
  useTitle(title)
}

export function Page({ id, title, note, actions, fill, children }: Props) {
  usePageTitleAndHelp(id, title)
  return (
    <div className={classes.page} data-fill={fill || undefined}>
      <Group justify="space-between" gap="sm" mih={36}>
        <Group gap="sm" align="baseline">
          <Title order={1}>{title}</Title>
          <Text size="sm" c="dimmed" className="figures" aria-live="polite">
            {note}
          </Text>
        </Group>
        <Group gap="xs" className="no-print">
          {actions}
        </Group>
      </Group>
      {children}
    </div>
  )
}
