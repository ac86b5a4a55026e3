// The values of the page, as they are stored.
import type { Schemas } from '../../api/client'

export type Limits = Schemas['FraudLimits']
export type Day = Schemas['DayHours'] | null
export type Values = Required<Schemas['FraudProtection']>

export const LIMITS = ['calls', 'minutes_an_hour', 'minutes_a_day'] as const

/** Midnight is the end of a day as it is stored, and the beginning of one in a field of a browser. */
const MIDNIGHT = { stored: '24:00', field: '00:00' }

/** The time until which a day lasts, as a field shows it. */
export const until = (to: string) => (to === MIDNIGHT.stored ? MIDNIGHT.field : to)

/** The time until which a day lasts, from a field. */
export const ends = (typed: string) => (typed === MIDNIGHT.field ? MIDNIGHT.stored : typed)

/** Working hours, to begin with. */
export const OFFICE: Day[] = Array.from({ length: 7 }, (_, day) => (day < 5 ? { from: '08:00', to: '18:00' } : null))

/** Beginnings of numbers as they were typed. */
export const prefixes = (typed: string[]) => typed.map((prefix) => prefix.trim()).filter((prefix) => prefix !== '')
