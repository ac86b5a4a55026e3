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
/** Where neither says anything there are no packets to go by, only the time since the answer. */
const SILENT_S = 3

/** In a word, `talked_s` after the answer; nothing where too little was measured. */
export function grade(quality: Quality | null | undefined, talked_s = 0): Grade | null {
  if (!quality) return null
  const { packets_received, packets_sent, mos_hundredths } = quality
  if (packets_received === 0) return packets_sent >= SILENT_PACKETS || talked_s >= SILENT_S ? 'silent' : null
  if (mos_hundredths === null) return null
  return BANDS.find(([, least]) => mos_hundredths >= least)?.[0] ?? 'bad'
}

interface Heard {
  quality: Quality | null
}

/** A call is as good as its worse leg. */
export function worst(legs: Heard[], talked_s = 0): Grade | null {
  const grades = legs.map(({ quality }) => grade(quality, talked_s)).filter((one) => one !== null)
  return ORDER.findLast((one) => grades.includes(one)) ?? null
}

/** True where nothing came from either phone. */
export function mute(legs: Heard[], talked_s: number): boolean {
  return legs.length > 0 && legs.every(({ quality }) => grade(quality, talked_s) === 'silent')
}

/** How long a call under way has been talked, in seconds. */
export function talkedSince(answered: string | null, now: number): number {
  return answered === null ? 0 : (now - Date.parse(answered)) / 1000
}

/** True where most of what came for a phone was refused. */
export function isElsewhere({ packets_foreign, packets_received }: Quality): boolean {
  return packets_foreign > packets_received && packets_foreign >= SILENT_PACKETS
}

/** Where there is nothing to measure. */
const NONE = '–'

/** `0.4 %` of what should have come. */
export function share(lost: number, came: number): string {
  const of = lost + came
  return of === 0 ? NONE : number(lost / of, { style: 'percent', maximumFractionDigits: 1 })
}

/** How unevenly so many packets came. */
export function unevenness(micros: number, packets: number): string {
  return packets === 0 ? NONE : milliseconds(micros)
}

/** `12 ms`; tenths where it is short. */
export function milliseconds(micros: number): string {
  const ms = micros / 1000
  return `${number(ms, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`
}
