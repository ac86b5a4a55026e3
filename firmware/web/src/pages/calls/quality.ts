// How good a call sounds: in a word (by the bands of ITU-T G.107, Annex B) and in numbers.
import type { Schemas } from '../../api/client'
import type { State } from '../../kit/small'
import { number } from '../../kit/time'

export type Quality = Schemas['Quality']
export type Grade = 'good' | 'fair' | 'poor' | 'bad' | 'silent'

export const STATE: Record<Grade, State> = { good: 'good', fair: 'warn', poor: 'warn', bad: 'bad', silent: 'bad' }

const ORDER: Grade[] = ['good', 'fair', 'poor', 'bad', 'silent']
/** The lowest MOS, in hundredths, of each word but the last. */
const BANDS: [Grade, number][] = [
  ['good', 403],
  ['fair', 360],
  ['poor', 310],
]
/** A party that has said nothing for so long should have: three seconds of packets of 20 ms. */
const SILENT_PACKETS = 150

/** In a word; nothing where too little was measured. */
export function grade(quality: Quality | null | undefined): Grade | null {
  if (!quality) return null
  const { packets_received, packets_sent, mos_hundredths } = quality
  if (packets_received === 0) return packets_sent >= SILENT_PACKETS ? 'silent' : null
  if (mos_hundredths === null) return null
  return BANDS.find(([, least]) => mos_hundredths >= least)?.[0] ?? 'bad'
}

/** A call is as good as its worse leg. */
export function worst(legs: { quality: Quality | null }[]): Grade | null {
  const grades = legs.map(({ quality }) => grade(quality)).filter((one) => one !== null)
  return ORDER.findLast((one) => grades.includes(one)) ?? null
}

/** `0.4 %` of what should have come. */
export function share(lost: number, came: number): string {
  const of = lost + came
  return number(of === 0 ? 0 : lost / of, { style: 'percent', maximumFractionDigits: 1 })
}

/** `12 ms`; tenths where it is short. */
export function milliseconds(micros: number): string {
  const ms = micros / 1000
  return `${number(ms, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`
}
