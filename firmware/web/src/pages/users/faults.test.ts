import i18next from 'i18next'
import { beforeAll, expect, it } from 'vitest'
import { Problem } from '../../api/problem'
import en from '../../i18n/en.json'
import { byRow } from './faults'

beforeAll(() => i18next.init({ lng: 'en', resources: { en: { translation: en } } }))

it('a wrong extension is told at its row, and the rest at the fields of the form', () => {
  const { rows, rest } = byRow(
    new Problem({
      code: 'conflict',
      errors: [
        { pointer: '/name', code: 'name_taken', detail: 'taken' },
        { pointer: '/new_extensions/1/sip_username', code: 'name_taken', detail: 'taken' },
        { pointer: '/new_extensions/1/number', code: 'number_taken', detail: 'taken' },
        { pointer: '/new_extensions/0/number', code: 'invalid_number', detail: 'digits' },
      ],
    }),
  )
  expect(rows).toEqual({ '0': en.fault.invalid_number, '1': en.fault.number_taken })
  expect(rest.fields(['name', 'extensions'])).toEqual({ name: en.fault.name_taken, extensions: en.fault.number_taken })
  const other = new Problem({ code: 'unreachable' })
  expect(byRow(other)).toEqual({ rows: {}, rest: other })
})
