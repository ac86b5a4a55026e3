// A table of many rows: only those in sight are drawn, so that 5,000 scroll like fifty. Arrows move,
// Enter opens, Delete removes. On a phone each row takes two lines in place of columns.
import { ActionIcon, Group, Menu, Skeleton, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { useElementSize, useMediaQuery, useMergedRef } from '@mantine/hooks'
import { IconChevronDown, IconChevronUp, IconDotsVertical, type TablerIcon } from '@tabler/icons-react'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './DataTable.module.css'
import { focusHome, isLost } from './focus'
import type { Value } from './find'

export interface Column<R> {
  id: string
  title: string
  /** What the column is sorted and searched by, and shows unless `cell` says otherwise. */
  value: (row: R) => Value
  cell?: (row: R) => ReactNode
  /** As in CSS; columns without one share the rest. */
  width?: string
  /** Not shown until it is chosen. */
  hidden?: boolean
  /** Its place in a row on a phone; none where left out. */
  narrow?: 'title' | 'detail' | 'side'
  /** Numbers and times stand below each other. */
  figures?: boolean
  /** Sorting by it makes no sense. */
  unsorted?: boolean
}

export interface Action<R> {
  id: string
  label: (row: R) => string
  icon: TablerIcon
  act: (row: R) => void
  danger?: boolean
  /** The key that does it. */
  key?: string
}

export interface Sort {
  column: string
  down: boolean
}

interface Props<R> {
  label: string
  rows: R[] | undefined
  id: (row: R) => string | number
  columns: Column<R>[]
  sort: Sort
  onSort: (sort: Sort) => void
  open?: (row: R) => void
  actions?: Action<R>[]
  faint?: (row: R) => boolean
}

const ROW = 40
const NARROW_ROW = 60
const OVERSCAN = 6
const SKELETONS = 8

function content<R>(column: Column<R>, row: R): ReactNode {
  if (column.cell) return column.cell(row)
  const value = column.value(row)
  return value === null || value === undefined ? '' : String(value)
}

export function DataTable<R>(props: Props<R>) {
  const { rows, columns, sort, open, actions = [] } = props
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const { ref: sized, height } = useElementSize()
  const scroller = useRef<HTMLDivElement>(null)
  const scrollRef = useMergedRef(sized, scroller)
  const [top, setTop] = useState(0)
  const [active, setActive] = useState(0)
  const toFocus = useRef(false)
  /** The keyboard is in the table. */
  const inside = useRef(false)
  const rowHeight = narrow ? NARROW_ROW : ROW
  const count = rows?.length ?? 0
  const current = Math.min(active, Math.max(0, count - 1))
  const first = Math.max(0, Math.min(top - OVERSCAN, count - 1))
  const last = Math.min(count, top + Math.ceil((height || 800) / rowHeight) + OVERSCAN)
  const spans = narrow ? 1 : columns.length + (actions.length > 0 ? 1 : 0)

  useEffect(() => {
    // A row that goes takes the keyboard along: the one in its place has it then.
    if (!toFocus.current && !(inside.current && isLost())) return
    toFocus.current = false
    const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${current}"]`)
    if (row) row.focus({ preventScroll: true })
    else focusHome()
  })
  // The last row takes the table with it.
  useEffect(() => () => void (inside.current && setTimeout(() => isLost() && focusHome())), [])

  function go(index: number) {
    const box = scroller.current
    if (!box || count === 0) return
    const to = Math.max(0, Math.min(count - 1, index))
    const head = narrow ? 0 : ROW
    const start = to * rowHeight
    if (start < box.scrollTop) box.scrollTop = start
    if (start + rowHeight + head > box.scrollTop + box.clientHeight) box.scrollTop = start + rowHeight + head - box.clientHeight
    setTop(Math.floor(box.scrollTop / rowHeight))
    setActive(to)
    toFocus.current = true
  }

  function onKey(event: KeyboardEvent, row: R, index: number) {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return
    const page = Math.max(1, Math.floor(height / rowHeight) - 1)
    const moves: Record<string, number> = {
      ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: count - 1,
    }
    const action = actions.find(({ key }) => key === event.key)
    if (event.key in moves) go(moves[event.key]!)
    else if (event.key === 'Enter' && open) open(row)
    else if (action) action.act(row)
    else return
    event.preventDefault()
  }

  return (
    <div
      ref={scrollRef}
      className={classes.scroll}
      // What a row opens is not in the table, though its events come through here.
      onFocus={({ currentTarget, target }) => (inside.current = currentTarget.contains(target))}
      onBlur={() => (inside.current = false)}
      onScroll={(event) => setTop(Math.floor(event.currentTarget.scrollTop / rowHeight))}
    >
      <table
        className={classes.table}
        role="grid"
        aria-label={props.label}
        aria-rowcount={rows ? count + 1 : -1}
        aria-busy={!rows}
        data-narrow={narrow || undefined}
      >
        {!narrow && (
          <>
            <colgroup>
              {columns.map(({ id, width }) => (
                <col key={id} style={{ width }} />
              ))}
              {actions.length > 0 && <col style={{ width: `${actions.length * 34 + 20}px` }} />}
            </colgroup>
            <thead>
              <tr aria-rowindex={1}>
                {columns.map((column) => (
                  <Head key={column.id} column={column} sort={sort} onSort={props.onSort} />
                ))}
                {actions.length > 0 && <td />}
              </tr>
            </thead>
          </>
        )}
        <tbody>
          {!rows &&
            Array.from({ length: SKELETONS }, (_, index) => (
              <tr key={index} style={{ height: rowHeight }}>
                {Array.from({ length: spans }, (_, cell) => (
                  <td key={cell}>
                    <Skeleton h={12} w={`${45 + ((index * 7 + cell * 13) % 40)}%`} />
                  </td>
                ))}
              </tr>
            ))}
          {first > 0 && <Space height={first * rowHeight} spans={spans} />}
          {rows?.slice(first, last).map((row, offset) => {
            const index = first + offset
            return (
              <tr
                key={props.id(row)}
                data-index={index}
                data-row={`${props.label} ${props.id(row)}`}
                data-opens={open ? true : undefined}
                data-faint={props.faint?.(row) || undefined}
                aria-rowindex={index + 2}
                tabIndex={index === current ? 0 : -1}
                style={{ height: rowHeight }}
                onFocus={() => setActive(index)}
                onClick={() => open?.(row)}
                onKeyDown={(event) => onKey(event, row, index)}
              >
                {narrow ? (
                  <NarrowCell row={row} columns={columns} actions={actions} focusable={index === current} />
                ) : (
                  columns.map((column) => (
                    <td key={column.id} className={column.figures ? 'figures' : undefined}>
                      {content(column, row)}
                    </td>
                  ))
                )}
                {!narrow && actions.length > 0 && (
                  <td className={classes.own} onClick={(event) => event.stopPropagation()}>
                    <Actions row={row} actions={actions} focusable={index === current} />
                  </td>
                )}
              </tr>
            )
          })}
          {last < count && <Space height={(count - last) * rowHeight} spans={spans} />}
        </tbody>
      </table>
    </div>
  )
}

function Space({ height, spans }: { height: number; spans: number }) {
  return (
    <tr aria-hidden style={{ height }}>
      <td colSpan={spans} />
    </tr>
  )
}

function Head<R>({ column, sort, onSort }: { column: Column<R>; sort: Sort; onSort: (sort: Sort) => void }) {
  const sorted = sort.column === column.id
  const Chevron = sort.down ? IconChevronDown : IconChevronUp
  return (
    <th scope="col" aria-sort={sorted ? (sort.down ? 'descending' : 'ascending') : undefined}>
      {column.unsorted ? (
        column.title
      ) : (
        <UnstyledButton
          className={classes.sort}
          onClick={() => onSort({ column: column.id, down: sorted && !sort.down })}
        >
          <span>{column.title}</span>
          {sorted && <Chevron size={14} stroke={2} aria-hidden />}
        </UnstyledButton>
      )}
    </th>
  )
}

interface OfRow<R> {
  row: R
  actions: Action<R>[]
  /** Whether Tab gets there. */
  focusable: boolean
}

function NarrowCell<R>({ row, columns, actions, focusable }: OfRow<R> & { columns: Column<R>[] }) {
  const at = (place: Column<R>['narrow']) => columns.filter(({ narrow }) => narrow === place)
  return (
    <td>
      <div className={classes.card}>
        <div className={classes.lines}>
          <Text component="div" size="md" fw={550} truncate>
            {at('title').map((column) => (
              <span key={column.id}>{content(column, row)}</span>
            ))}
          </Text>
          <Text component="div" size="sm" c="dimmed" truncate className={classes.details}>
            {at('detail').map((column) => (
              <span key={column.id}>{content(column, row)}</span>
            ))}
          </Text>
        </div>
        <div className={classes.side}>
          {at('side').map((column) => (
            <div key={column.id}>{content(column, row)}</div>
          ))}
        </div>
        {actions.length > 0 && <ActionMenu row={row} actions={actions} focusable={focusable} />}
      </div>
    </td>
  )
}

/** What a narrow row has no room for. */
function ActionMenu<R>({ row, actions, focusable }: OfRow<R>) {
  const { t } = useTranslation()
  return (
    // What is done with a row does not open it.
    <span onClick={(event) => event.stopPropagation()}>
      <Menu position="bottom-end" portalProps={{ target: 'main' }}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={40} mr={-8} aria-label={t('list.actions')} tabIndex={focusable ? 0 : -1}>
            <IconDotsVertical size={18} stroke={1.6} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {actions.map(({ id, label, icon: Icon, act, danger }) => (
            <Menu.Item
              key={id}
              leftSection={<Icon size={17} stroke={1.6} color={danger ? 'var(--mantine-color-error)' : undefined} />}
              onClick={() => act(row)}
            >
              {label(row)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}

function Actions<R>({ row, actions, focusable }: OfRow<R>) {
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end" className={classes.actions}>
      {actions.map(({ id, label, icon: Icon, act, danger }) => (
        <Tooltip key={id} label={label(row)}>
          <ActionIcon
            variant="subtle"
            color="gray"
            data-danger={danger || undefined}
            aria-label={label(row)}
            tabIndex={focusable ? 0 : -1}
            onClick={() => act(row)}
          >
            <Icon size={17} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      ))}
    </Group>
  )
}
