// @vitest-environment jsdom
import { act, createElement, useEffect } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Problem } from '../api/problem'
import { type Stored, useEdit } from './useEdit'

vi.mock('./toast', () => ({ done: () => undefined }))
vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

interface Values {
  keys: string
  other: string
}

const revision = (etag: string, keys: string, other = ''): Stored<Values> => ({ etag, values: { keys, other } })

let root: Root
let edit: ReturnType<typeof useEdit<Values>>
let stored: Stored<Values>
/** What the box does with what is sent. */
let box: (values: Values, etag: string) => Stored<Values>
/** False where its answer does not come back into what is stored. */
let heard = true

function Form() {
  const made = useEdit<Values>({
    stored,
    initial: stored.values,
    save: (values, etag) => {
      const answer = box(values, etag)
      if (heard) stored = answer
      return Promise.resolve('Saved')
    },
    refresh: () => Promise.resolve(draw()),
    point: () => undefined,
    readOnly: false,
  })
  useEffect(() => {
    edit = made
  })
  return null
}

const draw = () => root.render(createElement(Form))
const type = (values: Partial<Values>) => act(() => edit.form.setValues(values))
const save = async () => {
  await act(async () => edit.submit())
  await act(draw)
}

beforeEach(() => {
  heard = true
  stored = revision('1', 'a')
  root = createRoot(document.createElement('div'))
  return act(draw)
})
afterEach(() => act(() => root.unmount()))

it('takes what the box made of what was sent for its own', async () => {
  box = ({ keys }) => revision('2', keys.trim())
  await type({ keys: ' b ' })
  await save()
  expect([edit.conflict, edit.dirty, edit.form.values.keys]).toEqual([null, false, 'b'])

  let asked = ''
  box = ({ keys }, etag) => ((asked = etag), revision('3', keys))
  await type({ keys: 'c' })
  await save()
  expect([asked, edit.conflict, edit.dirty]).toEqual(['2', null, false])
})

it('takes it for its own where it is read later, and keeps what was typed since', async () => {
  heard = false
  box = () => revision('2', 'b')
  await type({ keys: ' b ' })
  await save()
  expect([edit.conflict, edit.dirty]).toEqual([null, false])
  await type({ other: 'x' })
  stored = revision('2', 'b')
  await act(draw)
  expect([edit.conflict, edit.dirty]).toEqual([null, true])
  expect(edit.form.values).toEqual({ keys: 'b', other: 'x' })
})

it('still tells of what somebody else changed', async () => {
  box = ({ keys }) => revision('2', keys)
  await type({ keys: 'b' })
  await save()
  await type({ keys: 'c' })
  stored = revision('3', 'theirs')
  await act(draw)
  expect(edit.conflict).toMatchObject({ before: { keys: 'b' }, theirs: { keys: 'theirs' }, mine: { keys: 'c' } })

  // Where it was refused nothing of it is ours.
  await act(() => edit.conflict!.onTheirs())
  box = () => {
    stored = revision('4', 'again')
    throw new Problem({ code: 'changed' })
  }
  await type({ keys: 'd' })
  await save()
  expect(edit.conflict).toMatchObject({ theirs: { keys: 'again' }, mine: { keys: 'd' } })
})
