import { expect, it } from 'vitest'
import { ends, prefixes, until } from './body'

it('midnight ends a day and begins none', () => {
  expect(ends('00:00')).toBe('24:00')
  expect(until('24:00')).toBe('00:00')
  for (const time of ['17:30', '08:00', '']) {
    expect(ends(time)).toBe(time)
    expect(until(time)).toBe(time)
  }
})

it('what is empty is no beginning of a number', () => {
  expect(prefixes(['00', ' 900 ', ''])).toEqual(['00', '900'])
})
