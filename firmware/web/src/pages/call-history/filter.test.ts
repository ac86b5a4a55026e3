import { expect, it } from 'vitest'
import { exportUrl, filterOf, type HistoryCall, offsetOf, period, sortOf } from './filter'
import { ending, STATE } from './state'

const search = (text: string) => new URLSearchParams(text)
const now = new Date(2026, 10, 23, 15, 30)
const day = (of: number) => new Date(2026, 10, of)

it('takes periods as whole days of the reader', () => {
  expect(period(search(''), now)).toEqual({})
  expect(period(search('period=today'), now)).toEqual({ from: day(23) })
  expect(period(search('period=yesterday'), now)).toEqual({ from: day(22), until: day(23) })
  expect(period(search('period=week'), now)).toEqual({ from: day(17) })
  expect(period(search('period=chosen&from=2026-11-03&until=2026-11-05'), now)).toEqual({ from: day(3), until: day(6) })
  expect(period(search('period=chosen&from=nonsense'), now)).toEqual({ from: undefined, until: undefined })
})

it('reads the address, and leaves out what it does not know', () => {
  expect(filterOf(search('number=12&result=busy'), now)).toMatchObject({ number: '12', disposition: 'busy' })
  expect(filterOf(search('number=&result=nonsense'), now)).toEqual({})
  expect(sortOf(search('sort=duration&order=ascending'))).toEqual({ column: 'duration', down: false })
  expect(sortOf(search('sort=nonsense'))).toEqual({ column: 'started', down: true })
  expect([search(''), search('page=3'), search('page=-1'), search('page=x')].map(offsetOf)).toEqual([0, 200, 0, 0])
})

it('does not say that a call failed that an administrator ended', () => {
  expect(ending({ disposition: 'failed', ended_by: 'administrator', legs: [] })).toBe('ended')
  expect(STATE.ended).toBe('quiet')
  expect(ending({ disposition: 'failed', ended_by: 'exchange', legs: [] })).toBe('failed')
  expect(ending({ disposition: 'answered', ended_by: 'administrator', legs: [] })).toBe('answered')
})

it('knows no phone of ours where a call was to leave', () => {
  const legs = [{ side: 'called', interface: 'Provider' }] as HistoryCall['legs']
  expect(ending({ disposition: 'unreachable', ended_by: 'exchange', legs })).toBe('unreachable_outside')
  expect(ending({ disposition: 'unreachable', ended_by: 'exchange', legs: [] })).toBe('unreachable')
})

it('exports what is filtered', () => {
  expect(exportUrl({})).toBe('/api/v1/call-history.csv')
  expect(exportUrl({ number: '+420', disposition: 'busy', from: undefined })).toBe(
    '/api/v1/call-history.csv?number=%2B420&disposition=busy',
  )
})
