// Times, durations and numbers as people of the chosen language write them; always 24 hours.
import { language } from '../i18n'

const TAG = { en: 'en-GB', cs: 'cs-CZ' }
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

export function tag(): string {
  return TAG[language()]
}

/** `22 Nov 2026, 08:35:53`. */
export function absolute(time: string): string {
  return new Intl.DateTimeFormat(tag(), {
    day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  }).format(new Date(time))
}

/** `08:35` today, `22 Nov, 08:35` this year, else with the year. */
export function brief(time: string, now: number): string {
  const date = new Date(time)
  const today = new Date(now)
  const sameDay = date.toDateString() === today.toDateString()
  const sameYear = date.getFullYear() === today.getFullYear()
  return new Intl.DateTimeFormat(tag(), {
    ...(sameDay ? {} : { day: 'numeric', month: 'short' }),
    ...(sameYear ? {} : { year: 'numeric' }),
    hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  }).format(date)
}

/** `3 minutes ago`, `in 2 hours`. */
export function relative(time: string, now: number): string {
  const seconds = Math.round((Date.parse(time) - now) / 1000)
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return new Intl.RelativeTimeFormat(tag(), { numeric: 'auto' }).format(Math.trunc(seconds / size), unit)
}

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

export function number(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(tag(), options).format(value)
}

/** How long something has lasted, by its two largest units: `3 days 4 hours`. */
export function span(seconds: number): string {
  const parts = (['day', 'hour', 'minute'] as const).map((unit, index) => ({
    unit,
    value: [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60][index]!,
  }))
  const first = Math.min(parts.findIndex(({ value }) => value > 0) >>> 0, 2)
  return parts
    .slice(first, first + 2)
    .filter(({ value }, index) => value > 0 || index === 0)
    .map(({ unit, value }) => number(value, { style: 'unit', unit, unitDisplay: 'long' }))
    .join(' ')
}

/** `12.4 GB`. */
export function bytes(value: number): string {
  const [unit, size] = value >= 1e9 ? (['gigabyte', 1e9] as const) : (['megabyte', 1e6] as const)
  return number(value / size, { style: 'unit', unit, maximumFractionDigits: value / size < 100 ? 1 : 0 })
}
