// The external numbers of an interface, and whom each of them rings.
import { ActionIcon, Button, Select, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Extension } from '../../api/configuration'
import { Pager } from '../../kit/Pager'
import { limited, MOST_CHOICES } from '../../kit/limited'
import { type Mapped, choices } from './body'
import { split } from './rewrite'
import classes from './routing.module.css'

interface Props {
  numbers: Mapped[]
  extensions: Extension[]
  /** What a number without an extension of its own does. */
  otherwise: string
  error?: ReactNode
  onChange: (numbers: Mapped[]) => void
  readOnly: boolean
}

/** How many are drawn at once: there may be ten thousand. */
const SHOWN = 50
const pageOf = (index: number) => Math.floor(index / SHOWN) * SHOWN
const NUMBER = /^\+?[0-9Xx]+$/

export function Numbers({ numbers, extensions, otherwise, error, onChange, readOnly }: Props) {
  const { t } = useTranslation()
  const [query, setQuery] = useState('')
  const [offset, setOffset] = useState(0)
  const body = useRef<HTMLDivElement>(null)
  const added = useRef(false)
  const data = useMemo(() => choices(extensions).map(({ value, label }) => ({ value: String(value), label })), [extensions])
  const many = numbers.length > SHOWN
  const rows = numbers.map((row, index) => ({ ...row, index })).filter(({ number }) => !many || number.includes(query.trim()))
  const times = useMemo(() => Map.groupBy(numbers, ({ number }) => number), [numbers])
  const bad = ({ number }: Mapped) => !NUMBER.test(number.trim()) || times.get(number)!.length > 1
  const firstBad = error ? numbers.findIndex(bad) : -1

  // What is wrong is not on a page that nobody sees.
  const [told, setTold] = useState(error)
  if (told !== error) {
    setTold(error)
    if (firstBad >= 0) {
      setQuery('')
      setOffset(pageOf(firstBad))
    }
  }

  useEffect(() => {
    if (!added.current) return
    added.current = false
    body.current?.querySelector<HTMLElement>('[data-last] input')?.focus()
  })

  function set(index: number, change: Partial<Mapped>) {
    onChange(numbers.map((row, at) => (at === index ? { ...row, ...change } : row)))
  }

  /** Several numbers that are pasted become rows. */
  function type(index: number, text: string) {
    const parts = split(text)
    if (parts.length < 2) return set(index, { number: parts[0] ?? '' })
    const row = numbers[index]!
    onChange(numbers.flatMap((one, at) => (at === index ? parts.map((number) => ({ ...row, number })) : [one])))
  }

  const first = Math.min(offset, pageOf(Math.max(0, rows.length - 1)))
  const shown = rows.slice(first, first + SHOWN)
  return (
    <Stack gap="xs">
      {many && (
        <TextInput
          type="search"
          label={t('numbers.search')}
          description={t('numbers.found', { found: rows.length, of: numbers.length })}
          value={query}
          onChange={(event) => {
            setQuery(event.currentTarget.value)
            setOffset(0)
          }}
        />
      )}
      {numbers.length > 0 && (
        <div className={classes.numbers} ref={body}>
          <Text size="sm" fw={500}>
            {t('numbers.number')}
          </Text>
          <Text size="sm" fw={500}>
            {t('numbers.rings')}
          </Text>
          <span />
          {shown.map((row) => {
            const which = { number: row.number || String(row.index + 1) }
            return (
              <Row key={row.index} last={row.index === numbers.length - 1}>
                <TextInput
                  aria-label={t('numbers.number_of', which)}
                  placeholder="5550100"
                  value={row.number}
                  readOnly={readOnly}
                  error={Boolean(error) && bad(row)}
                  inputMode="tel"
                  autoComplete="off"
                  onChange={(event) => type(row.index, event.currentTarget.value)}
                />
                <Select
                  aria-label={t('numbers.rings_of', which)}
                  placeholder={otherwise}
                  data={data}
                  searchable
                  clearable
                  clearButtonProps={{ 'aria-label': t('action.clear') }}
                  filter={limited}
                  limit={MOST_CHOICES}
                  nothingFoundMessage={t('word.nothing_found')}
                  value={row.extension === null ? null : String(row.extension)}
                  onChange={(id) => set(row.index, { extension: id === null ? null : Number(id) })}
                />
                {readOnly ? (
                  <span />
                ) : (
                  <Tooltip label={t('numbers.off', which)}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('numbers.off', which)}
                      onClick={() => onChange(numbers.filter((_, at) => at !== row.index))}
                    >
                      <IconX size={16} />
                    </ActionIcon>
                  </Tooltip>
                )}
              </Row>
            )
          })}
        </div>
      )}
      {rows.length > SHOWN && <Pager offset={first} size={SHOWN} total={rows.length} onChange={setOffset} />}
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {error}
        </Text>
      )}
      {!readOnly && (
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          style={{ alignSelf: 'flex-start' }}
          onClick={() => {
            added.current = true
            setQuery('')
            setOffset(pageOf(numbers.length))
            onChange([...numbers, { number: '', extension: null }])
          }}
        >
          {t('numbers.add')}
        </Button>
      )}
    </Stack>
  )
}

/** Its cells stand in the grid of all. */
function Row({ last, children }: { last: boolean; children: ReactNode }) {
  return (
    <div style={{ display: 'contents' }} data-last={last || undefined}>
      {children}
    </div>
  )
}
