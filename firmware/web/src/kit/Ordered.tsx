// Some of what there is, in an order: by buttons, and by the arrow keys upon a button.
import { ActionIcon, Group, Input, Select, Text, Tooltip } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconX } from '@tabler/icons-react'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './Ordered.module.css'

interface Props<T> {
  label: string
  hint: string
  /** What is chosen, the first first. */
  items: T[]
  options: { value: T; label: string }[]
  addLabel: string
  error?: ReactNode
  onChange: (items: T[]) => void
  readOnly: boolean
}

export function Ordered<T extends string | number>({ label, hint, items, options, addLabel, error, onChange, readOnly }: Props<T>) {
  const { t } = useTranslation()
  const list = useRef<HTMLOListElement>(null)
  /** Which button has to have the focus again: what was moved has been drawn anew. */
  const [moved, setMoved] = useState<{ index: number; way: string } | null>(null)
  const name = (item: T) => options.find(({ value }) => value === item)?.label ?? String(item)
  const free = options.filter(({ value }) => !items.includes(value))

  useEffect(() => {
    if (moved) list.current?.children[moved.index]?.querySelector<HTMLElement>(`[data-way="${moved.way}"]`)?.focus()
  }, [moved])

  function move(index: number, by: -1 | 1) {
    const to = index + by
    if (to < 0 || to >= items.length) return
    const next = [...items]
    ;[next[index], next[to]] = [next[to]!, next[index]!]
    setMoved({ index: to, way: by < 0 ? 'up' : 'down' })
    onChange(next)
  }

  function onKey(event: KeyboardEvent, index: number) {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    event.preventDefault()
    move(index, event.key === 'ArrowUp' ? -1 : 1)
  }

  return (
    <Input.Wrapper label={label} labelElement="div" description={hint} error={error}>
      {items.length > 0 && (
        <ol className={classes.list} ref={list} aria-label={label} style={{ marginTop: 6 }}>
          {items.map((item, index) => (
            <li key={item} onKeyDown={(event) => !readOnly && onKey(event, index)}>
              <span className={`${classes.place} figures`}>{index + 1}</span>
              <Text component="span" size="sm" flex={1} truncate>
                {name(item)}
              </Text>
              {!readOnly &&
                (['up', 'down'] as const).map((way) => (
                  <Tooltip key={way} label={t(`ordered.${way}`, { name: name(item) })}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      data-way={way}
                      aria-label={t(`ordered.${way}`, { name: name(item) })}
                      aria-disabled={index === (way === 'up' ? 0 : items.length - 1) || undefined}
                      data-disabled={index === (way === 'up' ? 0 : items.length - 1) || undefined}
                      onClick={() => move(index, way === 'up' ? -1 : 1)}
                    >
                      {way === 'up' ? <IconArrowUp size={16} /> : <IconArrowDown size={16} />}
                    </ActionIcon>
                  </Tooltip>
                ))}
              {!readOnly && (
                <Tooltip label={t('ordered.off', { name: name(item) })}>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('ordered.off', { name: name(item) })}
                    onClick={() => onChange(items.filter((one) => one !== item))}
                  >
                    <IconX size={16} />
                  </ActionIcon>
                </Tooltip>
              )}
            </li>
          ))}
        </ol>
      )}
      {!readOnly && free.length > 0 && (
        <Group mt="xs">
          <Select
            aria-label={addLabel}
            placeholder={addLabel}
            aria-invalid={error ? true : undefined}
            data={free.map(({ value, label }) => ({ value: String(value), label }))}
            searchable={free.length > 8}
            nothingFoundMessage={t('word.nothing_found')}
            w={260}
            value={null}
            onChange={(chosen) => {
              const option = free.find(({ value }) => String(value) === chosen)
              if (option) onChange([...items, option.value])
            }}
          />
        </Group>
      )}
    </Input.Wrapper>
  )
}
