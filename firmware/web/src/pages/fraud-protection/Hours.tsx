// When costly numbers may be called: a row for each day of the week.
import { Checkbox, Stack, Text, TextInput } from '@mantine/core'
import i18next from 'i18next'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { type Day, ends, OFFICE, until, type Values } from './body'
import classes from './fraud.module.css'

/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000

function dayName(day: number, weekday: 'long' | 'short'): string {
  return new Intl.DateTimeFormat(i18next.language, { weekday, timeZone: 'UTC' }).format(MONDAY + day * DAY_MS)
}

/** In a line. */
export function shown(hours: Values['hours']): string {
  if (!hours) return i18next.t('word.no')
  return hours.flatMap((day, index) => (day ? [`${dayName(index, 'short')} ${day.from}–${day.to}`] : [])).join(', ') || i18next.t('fraud.closed')
}

interface Props {
  hours: Values['hours']
  error?: ReactNode
  readOnly: boolean
  onChange: (hours: Values['hours']) => void
}

export function Hours({ hours, error, readOnly, onChange }: Props) {
  const { t } = useTranslation()
  const set = (index: number, day: Day) => onChange((hours ?? []).map((old, at) => (at === index ? day : old)))
  return (
    <Stack gap="xs">
      <Checkbox
        label={t('fraud.hours_on')}
        description={t('fraud.hours_hint')}
        checked={Boolean(hours)}
        onChange={(event) => onChange(event.currentTarget.checked ? OFFICE : null)}
      />
      {hours && (
        <div className={classes.week}>
          {hours.map((day, index) => {
            const name = dayName(index, 'long')
            const time = (which: 'from' | 'to') => (
              <TextInput
                type="time"
                aria-label={t(`fraud.${which}_of`, { day: name })}
                value={day ? (which === 'to' ? until(day.to) : day.from) : ''}
                readOnly={readOnly}
                error={Boolean(error)}
                onChange={({ currentTarget: { value } }) => day && set(index, which === 'to' ? { ...day, to: ends(value) } : { ...day, from: value })}
              />
            )
            return (
              <div key={name} className={classes.day}>
                <Checkbox
                  label={name}
                  checked={day !== null}
                  onChange={(event) => set(index, event.currentTarget.checked ? { from: '08:00', to: '18:00' } : null)}
                />
                {day ? (
                  <div className={classes.times}>
                    {time('from')}
                    <span aria-hidden>–</span>
                    {time('to')}
                  </div>
                ) : (
                  <Text size="sm" c="dimmed">
                    {t('fraud.closed')}
                  </Text>
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
    </Stack>
  )
}
