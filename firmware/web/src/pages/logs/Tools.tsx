// What can be done with a log: search, pause, highlight, save, clear.
import { ActionIcon, Button, Group, Menu, TextInput, Tooltip } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconDownload, IconHighlight, IconPlayerPause, IconPlayerPlay, IconSearch, IconTrash, type TablerIcon } from '@tabler/icons-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useMayWrite } from '../../api/session'
import { useShortcut } from '../../kit/shortcut'
import type { Format } from './file'

interface Props {
  typed: string
  onType: (text: string) => void
  paused: boolean
  onPause: () => void
  /** True while something is highlighted. */
  marks: boolean
  onHighlight: () => void
  onSave: (format: Format) => void
  saving: boolean
  /** Nothing where it clears itself. */
  onClear?: () => void
  /** There is nothing to do with an empty log. */
  empty: boolean
}

export function Tools({ typed, onType, paused, onPause, marks, onHighlight, onSave, saving, onClear, empty }: Props) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const search = useRef<HTMLInputElement>(null)
  useShortcut('/', () => search.current?.focus())
  return (
    <Group gap="xs" wrap={narrow ? 'wrap' : 'nowrap'}>
      <TextInput
        ref={search}
        type="search"
        flex={narrow ? '1 1 100%' : 1}
        maw={narrow ? undefined : 320}
        maxLength={200}
        value={typed}
        onChange={(event) => onType(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && onType('')}
        placeholder={t('list.search')}
        aria-label={t('list.search')}
        leftSection={<IconSearch size={16} />}
      />
      <Button
        variant={paused ? 'filled' : 'default'}
        leftSection={paused ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
        disabled={empty}
        onClick={onPause}
      >
        {paused ? t('log.resume') : t('log.pause')}
      </Button>
      <Menu position="bottom-start" withinPortal={false}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={16} />} loading={saving} disabled={empty}>
            {t('log.save')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {typed.trim() && <Menu.Label>{t('log.found_only')}</Menu.Label>}
          <Menu.Item onClick={() => onSave('txt')}>{t('log.as_text')}</Menu.Item>
          <Menu.Item onClick={() => onSave('html')}>{t('log.as_html')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Tool label={t('highlight.title')} icon={IconHighlight} on={marks} onClick={onHighlight} />
      {mayWrite && onClear && <Tool label={t('action.clear')} icon={IconTrash} disabled={empty} onClick={onClear} />}
    </Group>
  )
}

function Tool({ label, icon: Icon, on, disabled, onClick }: { label: string; icon: TablerIcon; on?: boolean; disabled?: boolean; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant={on ? 'light' : 'default'} size={36} aria-label={label} disabled={disabled} onClick={onClick}>
        <Icon size={18} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  )
}
