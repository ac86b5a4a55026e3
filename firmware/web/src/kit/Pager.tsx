// Which part of a long list is shown, where the box sends it a page at a time.
import { ActionIcon, Group, Text, Tooltip } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconChevronsLeft, IconChevronsRight } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { number } from './time'

interface Props {
  /** Rows before this page. */
  offset: number
  /** Rows of a page. */
  size: number
  total: number
  onChange: (offset: number) => void
}

export function Pager({ offset, size, total, onChange }: Props) {
  const { t } = useTranslation()
  const last = Math.max(0, Math.floor((total - 1) / size) * size)
  const steps = [
    { label: t('pager.first'), icon: IconChevronsLeft, to: 0, off: offset === 0 },
    { label: t('pager.before'), icon: IconChevronLeft, to: Math.max(0, offset - size), off: offset === 0 },
    { label: t('pager.next'), icon: IconChevronRight, to: offset + size, off: offset >= last },
    { label: t('pager.last'), icon: IconChevronsRight, to: last, off: offset >= last },
  ]
  const range = t('pager.range', {
    from: number(Math.min(total, offset + 1)),
    to: number(Math.min(total, offset + size)),
    total: number(total),
  })
  const step = ({ label, icon: Icon, to, off }: (typeof steps)[number]) => (
    <Tooltip key={label} label={label}>
      {/* One that is off keeps the focus: whoever pages by keyboard stays where they are. */}
      <ActionIcon variant="default" size={32} aria-label={label} data-disabled={off || undefined} aria-disabled={off} onClick={() => !off && onChange(to)}>
        <Icon size={16} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  )
  return (
    <Group component="nav" gap={6} justify="center" wrap="nowrap" aria-label={t('pager.pages')}>
      {steps.slice(0, 2).map(step)}
      <Text size="sm" className="figures" px="xs" miw={150} ta="center" aria-live="polite">
        {range}
      </Text>
      {steps.slice(2).map(step)}
    </Group>
  )
}
