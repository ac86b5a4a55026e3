// The figures of the guide: chapter 6.3 (a block of a thousand numbers), 7.3 (shortened numbers).
import { describe, expect, it } from 'vitest'
import { apply, begin, isIdentity, sample, split } from './rewrite'

describe('a rewriting rule', () => {
  it('chapter 6.3: any beginning of 123456789 goes or gets another one', () => {
    expect(apply({ strip: 0, prefix: '' }, '123456789')).toBe('123456789')
    expect(apply({ strip: 3, prefix: '' }, '123456789')).toBe('456789')
    expect(apply({ strip: 3, prefix: '99' }, '123456789')).toBe('99456789')
    expect(apply({ strip: 9, prefix: '' }, '123456789')).toBe('')
    expect(apply({ strip: 30, prefix: '7' }, '123')).toBe('7')
  })

  it('chapter 6.3: 800225XXX rings XXX, and the caller can be called back with 9', () => {
    expect(apply({ strip: 6, prefix: '' }, sample('800225XXX'))).toBe('111')
    expect(apply({ strip: 0, prefix: '9' }, '5550399')).toBe('95550399')
  })

  it('chapter 7.3: the last four digits come in and leave', () => {
    expect(apply({ strip: 2, prefix: '2' }, '0101')).toBe('201')
    expect(apply({ strip: 0, prefix: '9' }, '5550399')).toBe('95550399')
    expect(apply({ strip: 1, prefix: '' }, '95550199')).toBe('5550199')
    expect(apply({ strip: 1, prefix: '01' }, '201')).toBe('0101')
  })

  it('counts a leading plus as a character', () => {
    expect(apply({ strip: 1, prefix: '00' }, '+420777')).toBe('00420777')
    expect(isIdentity({ strip: 0, prefix: '' })).toBe(true)
    expect(isIdentity({ strip: 0, prefix: '1' })).toBe(false)
  })

  it('begins as the exchange begins it', () => {
    expect(begin('9', 'provider')).toEqual({ strip: 1, prefix: '' })
    expect(begin('3', 'exchange')).toEqual({ strip: 0, prefix: '' })
  })
})

it('numbers are pasted with commas, spaces and lines between them', () => {
  expect(split('5550100, 5550105;5550191\n800225XXX')).toEqual(['5550100', '5550105', '5550191', '800225XXX'])
  expect(split('5550100 5550105')).toEqual(['5550100', '5550105'])
  expect(split('+420 234 567 890')).toEqual(['+420234567890'])
  expect(split('+420 234 567 890 +420 234 567 891\n234 567 892')).toEqual(['+420234567890', '+420234567891', '234567892'])
})
