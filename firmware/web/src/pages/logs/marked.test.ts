import { expect, it } from 'vitest'
import { marked } from './marked'

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
