import { expect, it } from 'vitest'
import { grade, isElsewhere, mute, type Quality, share, talkedSince, unevenness, worst } from './quality'

const measured: Quality = {
  packets_sent: 500, packets_received: 500, packets_lost: 0, packets_discarded: 0, packets_foreign: 0, jitter_us: 200,
  remote_lost: null, remote_jitter_us: null, round_trip_us: null, mos_hundredths: 440,
}

it('says in a word how a call sounds', () => {
  const word = (mos_hundredths: number) => grade({ ...measured, mos_hundredths })
  expect([440, 403, 402, 360, 359, 310, 309, 100].map(word)).toEqual([
    'good', 'good', 'fair', 'fair', 'poor', 'poor', 'bad', 'bad',
  ])
})

it('tells a phone that is not heard from one that has not spoken yet', () => {
  const silent = { ...measured, packets_received: 0, mos_hundredths: null }
  expect(grade(silent)).toBe('silent')
  expect(grade({ ...silent, packets_sent: 20 })).toBeNull()
  expect(grade(null)).toBeNull()
})

it('says of a call without sound either way that there is none', () => {
  const silent = { ...measured, packets_received: 0, packets_sent: 0, mos_hundredths: null }
  expect(grade(silent, 2)).toBeNull()
  expect(grade(silent, 3)).toBe('silent')
  expect(grade(null, 60)).toBeNull()
  expect(worst([{ quality: silent }, { quality: silent }], 10)).toBe('silent')
  expect(mute([{ quality: silent }, { quality: silent }], 10)).toBe(true)
  expect(mute([{ quality: silent }, { quality: measured }], 10)).toBe(false)
  expect(mute([], 10)).toBe(false)
  expect(talkedSince(null, 5_000)).toBe(0)
  expect(talkedSince('1970-01-01T00:00:01Z', 5_000)).toBe(4)
})

it('warns where most sound came from another address, not where some did', () => {
  expect(isElsewhere({ ...measured, packets_received: 0, packets_foreign: 1271 })).toBe(true)
  expect(isElsewhere({ ...measured, packets_foreign: 200 })).toBe(false)
  expect(isElsewhere({ ...measured, packets_received: 0, packets_foreign: 3 })).toBe(false)
})

it('is as good as its worse leg', () => {
  const leg = (mos_hundredths: number) => ({ quality: { ...measured, mos_hundredths } })
  expect(worst([leg(440), leg(320)])).toBe('poor')
  expect(worst([leg(440), { quality: null }])).toBe('good')
  expect(worst([{ quality: null }])).toBeNull()
})

it('counts what was lost of what should have come', () => {
  expect(share(5, 995)).toBe('0.5%')
  expect(share(0, 10)).toBe('0%')
  expect(share(0, 0)).toBe('–')
  expect(unevenness(200, 10)).toBe('0.2 ms')
  expect(unevenness(0, 0)).toBe('–')
})
