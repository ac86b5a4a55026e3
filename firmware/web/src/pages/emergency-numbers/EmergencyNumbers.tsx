// Emergency numbers in rows: the number as it is dialled, and what it is for.
import { ActionIcon, Button, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import classes from './emergency.module.css'

type Row = Schemas['EmergencyNumber']

interface Props {
  numbers: Row[]
  /** What extensions have: such a number is refused. */
  taken: string[]
  error?: ReactNode
  onChange: (numbers: Row[]) => void
  readOnly: boolean
}

const NUMBER = /^\+?[0-9*#]+$/

export function EmergencyNumbers({ numbers, taken, error, onChange, readOnly }: Props) {
  const { t } = useTranslation()
  const body = useRef<HTMLDivElement>(null)
  const added = useRef(false)
  const bad = ({ number }: Row) => {
    const dialled = number.trim()
    return !NUMBER.test(dialled) || taken.includes(dialled) || numbers.filter((one) => one.number.trim() === dialled).length > 1
  }

  useEffect(() => {
    if (!added.current) return
    added.current = false
    body.current?.querySelector<HTMLElement>('[data-last] input')?.focus()
  })

  const set = (index: number, change: Partial<Row>) => onChange(numbers.map((row, at) => (at === index ? { ...row, ...change } : row)))
  return (
    <Stack gap="xs">
      {numbers.length > 0 && (
        <div className={classes.numbers} ref={body}>
          <Text size="sm" fw={500}>
            {t('emergency.number')}
          </Text>
          <Text size="sm" fw={500}>
            {t('emergency.description')}
          </Text>
          <span />
          {numbers.map((row, index) => {
            const which = { number: row.number || String(index + 1) }
            return (
              <div key={index} style={{ display: 'contents' }} data-last={index === numbers.length - 1 || undefined}>
                <TextInput
                  aria-label={t('emergency.number_of', which)}
                  placeholder="112"
                  value={row.number}
                  readOnly={readOnly}
                  error={Boolean(error) && bad(row)}
                  inputMode="tel"
                  autoComplete="off"
                  maxLength={32}
                  onChange={(event) => set(index, { number: event.currentTarget.value })}
                />
                <TextInput
                  aria-label={t('emergency.description_of', which)}
                  value={row.description ?? ''}
                  readOnly={readOnly}
                  maxLength={128}
                  autoComplete="off"
                  onChange={(event) => set(index, { description: event.currentTarget.value })}
                />
                {readOnly ? (
                  <span />
                ) : (
                  <Tooltip label={t('numbers.off', which)}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('numbers.off', which)}
                      onClick={() => onChange(numbers.filter((_, at) => at !== index))}
                    >
                      <IconX size={16} />
                    </ActionIcon>
                  </Tooltip>
                )}
              </div>
            )
          })}
        </div>
      )}
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
            onChange([...numbers, { number: '', description: '' }])
          }}
        >
          {t('numbers.add')}
        </Button>
      )}
    </Stack>
  )
}
