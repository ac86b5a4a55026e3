import i18next from 'i18next'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Code, Problem } from '../api/problem'
import cs from '../i18n/cs.json'
import en from '../i18n/en.json'
import { differences, merge } from './conflict'
import { compare, fold, matches } from './find'
import { parts } from './route'
import { absolute, bytes, duration, relative, span } from './time'

beforeAll(() => i18next.init({ lng: 'en', resources: { en: { translation: en }, cs: { translation: cs } } }))

describe('finding', () => {
  it('takes words in any order, without case and accents', () => {
    const row = fold('Jiří Nováček\n122\nRecepce')
    expect(matches(row, 'novacek jiri')).toBe(true)
    expect(matches(row, 'ŘÍ 12')).toBe(true)
    expect(matches(row, 'jiri 123')).toBe(false)
    expect(matches(row, '')).toBe(true)
  })

  it('sorts numbers by value, accents by alphabet, and what is missing last', () => {
    expect(['1000', '99', '122'].sort(compare())).toEqual(['99', '122', '1000'])
    expect(['b', null, 'a', ''].sort(compare())).toEqual(['a', 'b', null, ''])
    void i18next.changeLanguage('cs')
    expect(['Ida', 'Chalupa', 'Hana', 'Cyril'].sort(compare())).toEqual(['Cyril', 'Hana', 'Chalupa', 'Ida'])
    void i18next.changeLanguage('en')
  })
})

describe('a conflict', () => {
  const before = { name: 'a', email: '', on: true }

  it('tells what the other changed, and where both did', () => {
    expect(differences(before, { ...before, name: 'b' }, { ...before, name: 'c' })).toMatchObject([
      { field: 'name', theirs: 'b', mine: 'c', clash: true },
    ])
    expect(differences(before, { ...before, name: 'b' }, { ...before, email: 'x' })).toMatchObject([{ clash: false }])
  })

  it('is merged with mine upon theirs', () => {
    expect(merge(before, { name: 'b', email: 'y', on: true }, { ...before, name: 'c' })).toEqual({
      name: 'c', email: 'y', on: true,
    })
  })
})

describe('a problem', () => {
  const response = new Response(null, { status: 422, headers: { 'Retry-After': '2' } })

  it('is told at its fields', () => {
    const errors = [
      { pointer: '/number', code: 'number_taken', detail: 'taken' },
      { pointer: '/codecs/1', code: 'odd', detail: 'an odd codec' },
      { pointer: '/hidden', code: 'odd', detail: 'hidden' },
    ]
    const problem = Problem.of(response, { code: 'invalid', detail: '', errors })
    expect(problem.fields(['number', 'codecs'])).toEqual({
      number: en.fault.number_taken, codecs: 'an odd codec', '': 'hidden',
    })
  })

  it('has words of the language for all that is typed wrongly', () => {
    const codes = [
      'invalid_number', 'number_taken', 'invalid_name', 'name_taken', 'invalid_email', 'invalid_text', 'out_of_range',
      'weak_password', 'common_password', 'password_is_name', 'wrong_password', 'unknown_reference', 'too_many', 'emergency_number', 'last_administrator',
    ]
    for (const fault of [en.fault, cs.fault]) expect(Object.keys(fault)).toEqual(expect.arrayContaining(codes))
  })

  it('is said in words, or as the API says it', () => {
    expect(new Problem({ code: 'too_many_attempts', retryAfter: 2 }).text()).toContain('Wait 2 seconds')
    expect(new Problem({ code: 'of_a_newer_box' as Code, detail: 'From elsewhere.' }).text()).toBe('From elsewhere.')
    expect(Problem.of(response, 'gateway').text()).toBe(en.problem.other.replace('{{detail}}', 'HTTP 422'))
  })
})

describe('times', () => {
  it('are said in 24 hours and relative to now', () => {
    expect(absolute('2026-11-22T20:35:53')).toBe('22 Nov 2026, 20:35:53')
    const now = Date.parse('2026-11-22T20:35:53Z')
    expect(relative('2026-11-22T20:33:50Z', now)).toBe('2 minutes ago')
    expect(relative('2026-11-22T22:35:53Z', now)).toBe('in 2 hours')
  })

  it('last', () => {
    expect([7, 754, 3723, -1].map(duration)).toEqual(['0:07', '12:34', '1:02:03', '0:00'])
    expect([30, 3_660, 90_000, 86_400 * 12 + 59].map(span)).toEqual(['0 minutes', '1 hour 1 minute', '1 day 1 hour', '12 days'])
  })

  it('and sizes are said in the units that suit', () => {
    expect([250e6, 12.44e9, 512e9].map(bytes)).toEqual(['250 MB', '12.4 GB', '512 GB'])
  })
})

describe('an address', () => {
  it('has a page and perhaps a row', () => {
    expect(parts('/users/7')).toEqual({ page: 'users', id: '7' })
    expect(parts('/')).toEqual({ page: '', id: undefined })
    expect(parts('/a/b/c').page).toBe('a/b/c')
  })
})
