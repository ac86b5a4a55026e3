// The logs, all by one page: a live tail with the newest row on top.
import { Button, Center, Skeleton, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconFileText } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Empty, Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { dated, saveFile } from '../../kit/save'
import { failed } from '../../kit/toast'
import { ClearLog } from './ClearLog'
import { English } from './English'
import { HighlightDialog } from './HighlightDialog'
import { Rows } from './Rows'
import { Tools } from './Tools'
import { type Format, logFile } from './file'
import { highlighter, useRules } from './highlight'
import { allRows, type Log, type LogRow, paused, useLog } from './useLog'

const SEARCH_MS = 250

export const ConfigLog = () => <LogPage key="config" log="config" />
export const SecurityLog = () => <LogPage key="security" log="security" />
export const WarningLog = () => <LogPage key="warning" log="warning" />
export const ErrorLog = () => <LogPage key="error" log="error" />
export { DebugLog } from './DebugLog'
export { KernelLog } from './KernelLog'

function LogPage({ log }: { log: Log }) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  const [asked] = useDebouncedValue(typed.trim(), SEARCH_MS)
  /** What stood there when it was paused: a series that goes on takes its row along. */
  const [held, setHeld] = useState<LogRow[] | null>(null)
  const [opened, setOpened] = useState<'clear' | 'highlight' | null>(null)
  const [saving, setSaving] = useState(false)
  const [rules, setRules] = useRules()
  const colour = useMemo(() => highlighter(rules), [rules])
  const query = useLog(log, asked)
  const all = useMemo(() => query.data?.pages.flatMap(({ rows }) => rows), [query.data])
  const newest = all?.[0]
  const first = held?.[0]?.id ?? 0
  const rows = useMemo(() => (held && all ? paused(held, all, asked) : all), [held, all, asked])
  const waiting = held && all ? all.filter(({ id }) => id > first).length : 0
  const isEmpty = all?.length === 0 && asked === '' && !query.isPlaceholderData
  const title = t(`log.title.${log}`)

  async function save(format: Format) {
    setSaving(true)
    try {
      const found = (await allRows(log, asked || undefined)).reverse()
      saveFile(dated(`${log}-log`, format), logFile(format, title, found, colour))
    } catch (error) {
      failed(error)
    } finally {
      setSaving(false)
    }
  }

  return (
    <Page
      id="logs"
      title={title}
      fill
      note={held === null ? '' : waiting > 0 ? t('log.waiting', { count: waiting }) : t('log.paused')}
    >
      {query.error && !all ? (
        <Failed error={query.error} retry={query.refetch} />
      ) : isEmpty ? (
        <Empty icon={IconFileText} title={t('log.empty')} text={t(`log.text.${log}`)} />
      ) : (
        <>
          <Tools
            typed={typed}
            onType={setTyped}
            paused={held !== null}
            onPause={() => setHeld(held === null ? (all ?? null) : null)}
            marks={rules.some(({ pattern }) => pattern !== '')}
            onHighlight={() => setOpened('highlight')}
            onSave={(format) => void save(format)}
            saving={saving}
            onClear={() => setOpened('clear')}
            empty={!newest}
          />
          <English />
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
              label={title}
              rows={rows}
              search={asked}
              colour={colour}
              older={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              loading={query.isFetchingNextPage}
            />
          )}
        </>
      )}
      {opened === 'clear' && newest && <ClearLog log={log} newest={newest} onClose={() => setOpened(null)} />}
      {opened === 'highlight' && <HighlightDialog rules={rules} onChange={setRules} onClose={() => setOpened(null)} />}
    </Page>
  )
}
