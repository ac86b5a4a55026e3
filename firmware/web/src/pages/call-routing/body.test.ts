import { expect, it } from 'vitest'
import { Problem } from '../../api/problem'
import { atFields, bodyOf, NEW } from './body'

it('an empty password stays as it is, and goes only where that is said', () => {
  expect(bodyOf(NEW).server).not.toHaveProperty('password')
  expect(bodyOf({ ...NEW, password: 'key' }).server.password).toBe('key')
  expect(bodyOf({ ...NEW, password: 'key', no_password: true }).server.password).toBeNull()
})

it('rows without a number and anybody to ring are left out, a port that is none is told', () => {
  const numbers = [{ number: ' 5550100 ', extension: null }, { number: '', extension: null }, { number: '', extension: 3 }]
  const body = bodyOf({ ...NEW, numbers, port: 'sip' })
  expect(body.numbers).toEqual([{ number: '5550100', extension: null }, { number: '', extension: 3 }])
  expect(body.server.port).toBe(0)
})

it('faults stand at the fields of the form', () => {
  const fault = (pointer: string, code: Problem['errors'][number]['code']) => ({ pointer, code, detail: '' })
  const errors = [
    fault('/server/host', 'invalid_name'), fault('/numbers/2/number', 'invalid_number'), fault('/outgoing/called/prefix', 'invalid_number'),
    fault('/name', 'name_taken'), fault('/prefix', 'number_taken'), fault('/operator', 'unknown_reference'),
  ]
  expect(atFields(new Problem({ code: 'invalid', errors })).errors.map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/host', 'routing_host'], ['/numbers', 'routing_numbers'], ['/outgoing', 'routing_rewriting'],
    ['/name', 'name_taken'], ['/prefix', 'routing_prefix_taken'], ['/operator', 'unknown_reference'],
  ])
})
