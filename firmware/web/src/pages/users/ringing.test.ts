import { expect, it } from 'vitest'
import type { Extension } from '../../api/configuration'
import { ringingOf, rulesOf } from './ringing'

const all = [{ id: 7, number: '122' }] as Extension[]

it('what is dialled is an extension where there is one, and comes back as it was', () => {
  const values = {
    rings: [
      { to: '122', after: '0', until: '' },
      { to: '9 0602 111-111', after: '5', until: '20' },
      { to: ' ', after: '', until: '' },
    ],
    do_not_disturb: false,
    always: '',
    busy: '122',
    no_answer: '90602111111',
    no_answer_s: '15',
  }
  const rules = rulesOf(values, all)
  expect(rules).toEqual({
    rings: [
      { target: { extension: 7 }, after_s: 0, for_s: null },
      { target: { number: '90602111111' }, after_s: 5, for_s: 20 },
    ],
    do_not_disturb: false,
    always: null,
    busy: { extension: 7 },
    no_answer: { number: '90602111111' },
    no_answer_s: 15,
  })
  expect(rulesOf(ringingOf(rules, all), all)).toEqual(rules)
  expect(ringingOf(undefined, all).rings).toEqual([])
})
