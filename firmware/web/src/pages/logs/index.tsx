// The logs, all by one page: a live tail with the newest row on top.
import { ActionIcon, Button, Center, Group, Skeleton, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedValue, useHotkeys, useMediaQuery } from '@mantine/hooks'
import { IconDownload, IconFileText, IconPlayerPause, IconPlayerPlay, IconSearch, IconTrash } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMayWrite } from '../../api/session'
import { Empty, Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { dated, saveFile } from '../../kit/save'
import { failed } from '../../kit/toast'
import { ClearLog } from './ClearLog'
import { Rows } from './Rows'
import { allRows, type Log, type LogRow, useLog } from './useLog'

const SEARCH_MS = 250

export const ConfigLog = () => <LogPage key="config" log="config" />
export const SecurityLog = () => <LogPage key="security" log="security" />
export const WarningLog = () => <LogPage key="warning" log="warning" />
export const ErrorLog = () => <LogPage key="error" log="error" />

/** Who did it stands apart from the row, and belongs to it on paper. */
function by({ author, host }: LogRow): string {
  return author ? ` (${[author, host].filter(Boolean).join(', ')})` : ''
}

function LogPage({ log }: { log: Log }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const [typed, setTyped] = useState('')
  const [asked] = useDebouncedValue(typed.trim(), SEARCH_MS)
  const [pausedAt, setPausedAt] = useState<number | null>(null)
  const [clearing, setClearing] = useState(false)
  const [saving, setSaving] = useState(false)
  const search = useRef<HTMLInputElement>(null)
  useHotkeys([['/', () => search.current?.focus()]])
  const query = useLog(log, asked)
  const all = query.data?.pages.flatMap(({ rows }) => rows)
  const rows = all?.filter(({ id }) => pausedAt === null || id <= pausedAt)
  const waiting = all && rows ? all.length - rows.length : 0
  const newest = all?.[0]
  const isEmpty = all?.length === 0 && asked === '' && !query.isPlaceholderData

  async function save() {
    setSaving(true)
    try {
      const found = await allRows(log, asked || undefined)
      const lines = found.reverse().map((row) => `${row.row}${by(row)}\n`)
      saveFile(dated(`${log}-log`, 'txt'), new Blob(lines, { type: 'text/plain;charset=utf-8' }))
    } catch (error) {
      failed(error)
    } finally {
      setSaving(false)
    }
  }

  return (
    <Page
      id="logs"
      title={t(`log.title.${log}`)}
      fill
      note={pausedAt === null ? '' : waiting > 0 ? t('log.waiting', { count: waiting }) : t('log.paused')}
    >
      {query.error && !all ? (
        <Failed error={query.error} retry={query.refetch} />
      ) : isEmpty ? (
        <Empty icon={IconFileText} title={t('log.empty')} text={t(`log.text.${log}`)} />
      ) : (
        <>
          <Group gap="xs" wrap={narrow ? 'wrap' : 'nowrap'}>
            <TextInput
              ref={search}
              type="search"
              flex={narrow ? '1 1 100%' : 1}
              maw={narrow ? undefined : 320}
              maxLength={200}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              onKeyDown={(event) => event.key === 'Escape' && setTyped('')}
              placeholder={t('list.search')}
              aria-label={t('list.search')}
              leftSection={<IconSearch size={16} />}
            />
            <Button
              variant={pausedAt === null ? 'default' : 'filled'}
              leftSection={pausedAt === null ? <IconPlayerPause size={16} /> : <IconPlayerPlay size={16} />}
              disabled={!newest}
              onClick={() => setPausedAt(pausedAt === null ? (newest?.id ?? null) : null)}
            >
              {pausedAt === null ? t('log.pause') : t('log.resume')}
            </Button>
            <Button
              variant="default"
              leftSection={<IconDownload size={16} />}
              loading={saving}
              disabled={!newest}
              onClick={() => void save()}
            >
              {asked ? t('log.save_found') : t('log.save')}
            </Button>
            {mayWrite && (
              <Tooltip label={t('action.clear')}>
                <ActionIcon
                  variant="default"
                  size={36}
                  aria-label={t('action.clear')}
                  disabled={!newest}
                  onClick={() => setClearing(true)}
                >
                  <IconTrash size={18} stroke={1.6} />
                </ActionIcon>
              </Tooltip>
            )}
          </Group>
          {!rows ? (
            <Stack gap="sm">
              {[72, 58, 81, 64, 77].map((width) => (
                <Skeleton key={width} h={14} w={`${width}%`} />
              ))}
            </Stack>
          ) : rows.length === 0 ? (
            <Center flex={1}>
              <Stack align="center" gap="xs">
                <Text c="dimmed">{t('list.nothing', { query: asked })}</Text>
                <Button variant="default" size="xs" onClick={() => setTyped('')}>
                  {t('list.clear')}
                </Button>
              </Stack>
            </Center>
          ) : (
            <Rows
              label={t(`log.title.${log}`)}
              rows={rows}
              search={asked}
              older={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              loading={query.isFetchingNextPage}
            />
          )}
        </>
      )}
      {clearing && newest && <ClearLog log={log} newest={newest} onClose={() => setClearing(false)} />}
    </Page>
  )
}
