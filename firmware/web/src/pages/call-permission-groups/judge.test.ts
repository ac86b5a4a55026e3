import { expect, it } from 'vitest'
import { canLeave, coveredBy, judge, type Rule } from './judge'

const rules = (...list: [string, Rule['permission']][]): Rule[] => list.map(([prefix, permission]) => ({ prefix, permission }))

it('the first rule that fits decides, and the default where none does', () => {
  const own = rules(['0900654321', 'allow'], ['0900', 'deny'], ['', 'deny'])
  expect(judge(own, 'allow', '0900654321')).toEqual({ permission: 'allow', place: 1 })
  expect(judge(own, 'allow', '0900654322')).toEqual({ permission: 'deny', place: 2 })
  expect(judge(own, 'allow', '900654322')).toEqual({ permission: 'allow' })
  expect(judge([], 'deny', '05550111')).toEqual({ permission: 'deny' })
})

it('a rule that an earlier one covers is known', () => {
  const own = rules(['0900', 'deny'], ['', 'deny'], ['0900654321', 'allow'], ['0800', 'deny'], ['0800', 'allow'])
  expect(own.map((_, index) => coveredBy(own, index))).toEqual([undefined, undefined, 1, undefined, 4])
})

it('a rule without the prefix for calls out leads nowhere', () => {
  expect(canLeave('900', ['0', '3'])).toBe(false)
  expect(canLeave('0900', ['0', '3'])).toBe(true)
  expect(canLeave('0', ['00', '3'])).toBe(true)
  expect(canLeave('900', [''])).toBe(true)
})
