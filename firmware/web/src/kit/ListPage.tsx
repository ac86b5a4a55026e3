// A page with a list: search, sorting, choice of columns, and what to do first where it is empty.
import { ActionIcon, Button, Center, Checkbox, Group, Popover, Radio, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { IconAdjustmentsHorizontal, IconPlus, IconSearch, type TablerIcon } from '@tabler/icons-react'
import { type ReactNode, useDeferredValue, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMayWrite } from '../api/session'
import { type Action, type Column, DataTable, type Sort } from './DataTable'
import { Empty, Failed } from './Empty'
import { compare, fold, matches } from './find'
import { Page } from './Page'
import { useShortcut } from './shortcut'

interface Props<R> {
  /** Names the page's help text, and what is kept in the browser. */
  id: string
  title: string
  /** The answer of `useQuery`. */
  query: { data: R[] | undefined; error: unknown; refetch: () => unknown }
  rowId: (row: R) => string | number
  /** Kept by `useMemo`, so that a long list isn't sorted anew for nothing. */
  columns: Column<R>[]
  /** The column sorted by at first. */
  sort: string
  sortDown?: boolean
  /** How many there are, in words. */
  count: (count: number) => string
  empty: { icon: TablerIcon; title: string; text: string; action?: ReactNode }
  open?: (row: R) => void
  add?: { label: string; act: () => void }
  actions?: Action<R>[]
  /** Rows that are off are drawn fainter. */
  faint?: (row: R) => boolean
  /** Further buttons and filters. */
  tools?: ReactNode
  children?: ReactNode
}

interface Kept {
  shown: string[] | null
  sort: Sort
}

export function ListPage<R>(props: Props<R>) {
  const { id, query, columns, rowId } = props
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const [kept, setKept] = useLocalStorage<Kept>({
    key: `list.${id}`,
    defaultValue: { shown: null, sort: { column: props.sort, down: props.sortDown ?? false } },
    getInitialValueInEffect: false,
  })
  const [typed, setTyped] = useState('')
  const asked = useDeferredValue(typed)
  const search = useRef<HTMLInputElement>(null)
  useShortcut('/', () => search.current?.focus())

  const visible = columns.filter(({ id, hidden }) => (kept.shown ? kept.shown.includes(id) : !hidden))
  const sorting = columns.find(({ id }) => id === kept.sort.column) ?? columns[0]!
  const folded = useMemo(
    () => query.data?.map((row) => ({ row, text: fold(columns.map(({ value }) => value(row) ?? '').join('\n')) })),
    [query.data, columns],
  )
  const found = useMemo(
    () => folded?.filter(({ text }) => matches(text, asked.trim())).map(({ row }) => row),
    [folded, asked],
  )
  const rows = useMemo(() => {
    const order = compare()
    const sign = kept.sort.down ? -1 : 1
    return found
      ?.map((row) => ({ row, value: sorting.value(row) }))
      .sort((one, other) => sign * order(one.value, other.value))
      .map(({ row }) => row)
  }, [found, sorting, kept.sort.down])

  const addButton = props.add && mayWrite && (
    <Button data-add leftSection={<IconPlus size={16} />} onClick={props.add.act}>
      {props.add.label}
    </Button>
  )
  const isEmpty = query.data?.length === 0
  return (
    <Page
      id={id}
      title={props.title}
      fill
      note={
        rows && !isEmpty
          ? asked.trim()
            ? t('list.found', { found: rows.length, of: props.count(query.data!.length) })
            : props.count(query.data!.length)
          : ''
      }
      actions={!isEmpty && addButton}
    >
      {query.error ? (
        <Failed error={query.error} retry={query.refetch} />
      ) : isEmpty ? (
        <Empty action={addButton} {...props.empty} />
      ) : (
        <>
          <Group gap="xs" wrap={narrow ? 'wrap' : 'nowrap'}>
            <TextInput
              ref={search}
              type="search"
              flex={narrow && props.tools ? '1 1 100%' : 1}
              maw={narrow ? undefined : 320}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              onKeyDown={(event) => event.key === 'Escape' && setTyped('')}
              placeholder={t('list.search')}
              aria-label={t('list.search')}
              leftSection={<IconSearch size={16} />}
            />
            {props.tools}
            <View columns={columns} visible={visible} kept={kept} onChange={setKept} narrow={narrow} />
          </Group>
          {rows?.length === 0 ? (
            <Center flex={1}>
              <Stack align="center" gap="xs">
                <Text c="dimmed">{t('list.nothing', { query: asked.trim() })}</Text>
                <Button variant="default" size="xs" onClick={() => setTyped('')}>
                  {t('list.clear')}
                </Button>
              </Stack>
            </Center>
          ) : (
            <DataTable
              label={props.title}
              rows={rows}
              id={rowId}
              columns={visible}
              sort={kept.sort}
              onSort={(sort) => setKept({ ...kept, sort })}
              open={props.open}
              actions={mayWrite ? props.actions : undefined}
              faint={props.faint}
            />
          )}
        </>
      )}
      {props.children}
    </Page>
  )
}

interface ViewProps<R> {
  columns: Column<R>[]
  visible: Column<R>[]
  kept: Kept
  onChange: (kept: Kept) => void
  narrow: boolean
}

function View<R>({ columns, visible, kept, onChange, narrow }: ViewProps<R>) {
  const { t } = useTranslation()
  const [opened, setOpened] = useState(false)
  const shown = visible.map(({ id }) => id)
  return (
    <Popover position="bottom-end" trapFocus returnFocus opened={opened} onChange={setOpened}>
      <Popover.Target>
        <Tooltip label={t('list.view')} disabled={opened}>
          <ActionIcon variant="default" size={36} aria-label={t('list.view')} onClick={() => setOpened(!opened)}>
            <IconAdjustmentsHorizontal size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        {narrow ? (
          <Radio.Group
            label={t('list.sort_by')}
            value={kept.sort.column}
            onChange={(column) => onChange({ ...kept, sort: { column, down: false } })}
          >
            <Stack gap="xs" mt="xs">
              {columns.filter(({ unsorted }) => !unsorted).map(({ id, title }) => (
                <Radio key={id} value={id} label={title} />
              ))}
            </Stack>
          </Radio.Group>
        ) : (
          <Checkbox.Group
            label={t('list.columns')}
            value={shown}
            onChange={(chosen) => chosen.length > 0 && onChange({ ...kept, shown: chosen })}
          >
            <Stack gap="xs" mt="xs">
              {columns.map(({ id, title }) => (
                <Checkbox key={id} value={id} label={title} />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
      </Popover.Dropdown>
    </Popover>
  )
}
