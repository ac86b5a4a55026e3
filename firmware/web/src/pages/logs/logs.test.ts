import { expect, it } from 'vitest'
import { logFile } from './file'
import { highlighter, readable, type Rule } from './highlight'
import { marked } from './marked'
import { type LogRow, paused, withNew } from './useLog'

it('marks what was searched for, wherever and in any case', () => {
  const found = (text: string, search: string) =>
    marked(text, search).map(({ text, found }) => (found ? `[${text}]` : text)).join('')
  expect(found('Admin - session opened', 'ADMIN')).toBe('[Admin] - session opened')
  expect(found('aXa', 'a')).toBe('[a]X[a]')
  expect(found('aaa', 'aa')).toBe('[aa]a')
  expect(found('a.c', '.')).toBe('a[.]c')
  expect(found('Dvořák', 'Ř')).toBe('Dvořák')
  expect(found('text', '')).toBe('text')
  expect(found('text', 'none')).toBe('text')
})

it('lets rows stand out by text or regular expression, the first rule first', () => {
  const rules: Rule[] = [
    { pattern: '', regex: false, colour: 'grape' },
    { pattern: '10.0.0.1', regex: false, colour: 'red' },
    { pattern: '^login .*failed$', regex: true, colour: 'blue' },
    { pattern: '(', regex: true, colour: 'green' },
  ]
  const colour = highlighter(rules)
  expect(colour('from 10.0.0.1')).toBe('red')
  expect(colour('from 10x0x0x1')).toBeUndefined()
  expect(colour('Login as Admin FAILED')).toBe('blue')
  expect(colour('(')).toBeUndefined()
  expect(rules.map(readable)).toEqual([true, true, true, false])
})

it('is saved as text, and as HTML that shows rows as they are', async () => {
  const row = { id: 1, time: '2026-11-22T08:35:53Z', text: '<b>&', row: '[22/Nov/2026 08:35:53] <b>&', author: 'Admin', host: '::1', times: 1, first: '2026-11-22T07:35:53Z' }
  const other = { ...row, text: 'plain', row: 'plain', author: null, host: null }
  const colour = (text: string) => (text === 'plain' ? ('red' as const) : undefined)
  const text = (format: 'txt' | 'html') => logFile(format, 'Config <log>', [row, other], colour).text()
  expect(await text('txt')).toBe('[22/Nov/2026 08:35:53] <b>& (Admin, ::1)\nplain\n')
  const html = await text('html')
  expect(html).toContain('<div>[22/Nov/2026 08:35:53] &#60;b&#62;&#38; (Admin, ::1)</div>')
  expect(html).toContain('<div style="background:lightpink">plain</div>')
  expect(html).toContain('<h1>Config &#60;log&#62;</h1>')
})

it('a series that goes on comes anew, and its row of before goes', () => {
  const row = (id: number, text: string, time: string, times = 1, first = time) => ({
    id, text, time, times, first, row: text, author: null, host: null,
  })
  const known = [row(3, 'a', '10:03', 2, '10:01'), row(2, 'b', '10:02'), row(1, 'a', '08:00')]
  const fresh = [row(4, 'a', '10:04', 3, '10:01')]
  expect(withNew(known, fresh).map(({ id }) => id)).toEqual([4, 2, 1])
  expect(withNew(known, [row(5, 'b', '10:05')]).map(({ id }) => id)).toEqual([5, 3, 2, 1])
})

it('is searched while it stands still, and shows nothing newer', () => {
  const row = (id: number, text: string) => ({ id, text }) as LogRow
  const held = [row(5, 'Admin logged in'), row(4, 'Jana logged in')]
  const ids = (all: LogRow[], search: string) => paused(held, all, search).map(({ id }) => id)
  expect(ids([row(7, 'Jana again'), ...held, row(2, 'Petr')], '')).toEqual([5, 4, 2])
  expect(ids([row(7, 'Jana again'), row(4, 'Jana logged in'), row(1, 'Jana was added')], 'JANA')).toEqual([4, 1])
  // What stood there stays, though its series goes on elsewhere.
  expect(ids([row(8, 'Admin logged in')], 'admin')).toEqual([5])
})
