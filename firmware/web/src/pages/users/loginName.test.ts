import { expect, it } from 'vitest'
import { loginName } from './loginName'

it('a user name is what anybody can type', () => {
  expect(loginName('Jana Nová')).toBe('jana.nova')
  expect(loginName('  Ing. Žofie Příliš-Žluťoučká, Ph.D. ')).toBe('ing.zofie.prilis-zlutoucka.ph.d')
  expect(loginName('Łukasz Weiß')).toBe('lukasz.weiss')
  expect(loginName('王')).toBe('')
})
