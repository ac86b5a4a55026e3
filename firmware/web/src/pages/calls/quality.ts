// How good a call sounds: in a word (by the bands of ITU-T G.107, Annex B) and in numbers.
import type { TFunction } from 'i18next'
import type { Schemas } from '../../api/client'
import type { State } from '../../kit/small'
import { duration, number } from '../../kit/time'

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

/** The best that a codec allows, where that is not good. */
const BEST: Partial<Record<Schemas['Codec'], Grade>> = { gsm: 'fair' }

/** True where nothing ever came, and something should have. */
function isUnheard({ packets_received, packets_sent }: Quality, talked_s: number): boolean {
  return packets_received === 0 && (packets_sent >= SILENT_PACKETS || talked_s >= SILENT_S)
}

/** In a word, `talked_s` after the answer; nothing where too little was measured. */
export function grade(quality: Quality | null | undefined, talked_s = 0): Grade | null {
  if (!quality) return null
  const { mos_hundredths, silent_ms, silent_now_ms } = quality
  if (silent_now_ms > 0 || isUnheard(quality, talked_s)) return 'silent'
  if (mos_hundredths === null) return null
  const word = BANDS.find(([, least]) => mos_hundredths >= least)?.[0] ?? 'bad'
  // Who was not heard for seconds did not sound well, however long the call was.
  return word === 'good' && silent_ms > 0 ? 'fair' : word
}

interface Heard {
  quality: Quality | null
  silent_since?: string | null
}

/** The word of a leg, or of the worse one, as it is shown. `now` tells for how long there has been no sound. */
export function gradeText(t: TFunction, word: Grade, legs: Heard[], now = 0): string {
  if (word !== 'silent') return t(`quality.${word}`)
  const since = legs.flatMap(({ silent_since }) => (silent_since ? Date.parse(silent_since) : [])).sort((a, b) => a - b)[0]
  if (since !== undefined) return t('quality.silent_for', { time: lasting((now - since) / 1000) })
  // A call that is over.
  const wasHeard = legs.some(({ quality }) => quality && quality.silent_now_ms > 0 && quality.packets_received > 0)
  return wasHeard ? t('quality.silent_at_end') : t('quality.silent')
}

/** The codec, where a leg can't sound better by it. */
export function limit(word: Grade | null, codec: Schemas['Codec'] | null): Schemas['Codec'] | null {
  return codec && word && BEST[codec] === word ? codec : null
}

/** How long there was no sound from a phone, in seconds; `now` while the call lasts. */
export function silence({ silent_ms, silent_now_ms }: Quality, since: string | null | undefined, now: number): number {
  return since ? (silent_ms - silent_now_ms + Math.max(now - Date.parse(since), 0)) / 1000 : silent_ms / 1000
}

/** `43 s`, `1:05 min`, `1:02:03 h`. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole} s`
  return `${duration(whole)} ${whole < 3600 ? 'min' : 'h'}`
}

/** A call is as good as its worse leg. */
export function worst(legs: Heard[], talked_s = 0): Grade | null {
  const grades = legs.map(({ quality }) => grade(quality, talked_s)).filter((one) => one !== null)
  return ORDER.findLast((one) => grades.includes(one)) ?? null
}

/** True where nothing came from either phone. */
export function mute(legs: Heard[], talked_s: number): boolean {
  return legs.length > 0 && legs.every(({ quality }) => quality !== null && isUnheard(quality, talked_s))
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
