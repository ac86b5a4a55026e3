import i18next, { t } from 'i18next'
import { beforeAll, expect, it } from 'vitest'
import en from '../../i18n/en.json'
import { grade, gradeText, isElsewhere, limit, mute, type Quality, share, silence, talkedSince, unevenness, worst } from './quality'

beforeAll(() => i18next.init({ lng: 'en', resources: { en: { translation: en } } }))

const measured: Quality = {
  packets_sent: 500, packets_received: 500, packets_lost: 0, packets_discarded: 0, packets_foreign: 0, jitter_us: 200,
  remote_lost: null, remote_jitter_us: null, round_trip_us: null, mos_hundredths: 440, silent_ms: 0, silent_now_ms: 0,
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

it('says for how long a phone has not been heard', () => {
  const dead: Quality = { ...measured, silent_ms: 10_000, silent_now_ms: 5_000 }
  const leg = { quality: dead, silent_since: '1970-01-01T00:01:00Z' }
  expect(grade(dead)).toBe('silent')
  expect(worst([{ quality: measured }, leg])).toBe('silent')
  const text = (now: number, legs = [leg]) => gradeText(t, 'silent', legs, now)
  expect(text(103_000)).toBe('No sound for 43 s')
  expect(text(125_000)).toBe('No sound for 1:05 min')
  // The first that fell silent.
  expect(text(103_000, [leg, { ...leg, silent_since: '1970-01-01T00:00:50Z' }])).toBe('No sound for 53 s')
  expect(silence(dead, leg.silent_since, 103_000)).toBe(48)
})

it('never calls a call good in which a phone was not heard', () => {
  const cut: Quality = { ...measured, silent_ms: 4_000 }
  expect(grade(cut)).toBe('fair')
  expect(grade({ ...cut, mos_hundredths: 320 })).toBe('poor')
  expect(silence(cut, null, 0)).toBe(4)
  const dead: Quality = { ...cut, silent_now_ms: 4_000 }
  expect(gradeText(t, 'silent', [{ quality: measured }, { quality: dead }])).toBe('No sound at the end')
  expect(gradeText(t, 'silent', [{ quality: { ...dead, packets_received: 0 } }])).toBe('No sound')
  expect(mute([{ quality: dead }, { quality: dead }], 10)).toBe(false)
})

it('says where the codec allows no better', () => {
  expect(limit('fair', 'gsm')).toBe('gsm')
  expect(limit('poor', 'gsm')).toBeNull()
  expect(limit('fair', 'pcma')).toBeNull()
  expect(limit('good', null)).toBeNull()
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
