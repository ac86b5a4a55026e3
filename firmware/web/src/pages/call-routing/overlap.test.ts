import { expect, it } from 'vitest'
import type { Extension, Interface, Route } from '../../api/configuration'
import { extensionsUnder, nameOf, routeOver } from './overlap'

const route = (prefix: string, enabled = true) => ({ prefix, enabled, interfaces: [2, 1, 7], description: 'Out' }) as Route
const numbers = (...all: string[]) => all.map((number) => ({ number })) as Extension[]

it('an extension is under the route with the longest prefix that its number begins with', () => {
  const routes = [route(''), route('9'), route('90'), route('901', false)]
  expect(routeOver('9012', routes)?.prefix).toBe('90')
  expect(routeOver('9', routes)?.prefix).toBe('9')
  expect(routeOver('122', routes)).toBeUndefined()
})

it('a prefix is told the extensions that begin with it, and an empty one none', () => {
  const all = numbers('902', '122', '901', '9')
  expect(extensionsUnder('9', all)).toEqual(['9', '901', '902'])
  expect(extensionsUnder('90', all)).toEqual(['901', '902'])
  expect(extensionsUnder('', all)).toEqual([])
})

it('a route is known by its interfaces', () => {
  const interfaces = [{ id: 1, name: 'spare' }, { id: 2, name: 'provider' }] as Interface[]
  expect(nameOf(route('9'), interfaces)).toBe('provider, spare')
  expect(nameOf(route('9'), [])).toBe('Out')
})
