// @vitest-environment jsdom
import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { listen, type Registration } from './live'

/** The stream as a test has it. */
class Source extends EventTarget {
  static last: Source
  onerror: unknown
  constructor() {
    super()
    Source.last = this
  }
  close() {}
  says(name: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }))
  }
}

let client: QueryClient
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', Source)
  vi.stubGlobal('fetch', () => new Promise(() => undefined))
  client = new QueryClient()
  stop = listen(client)
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

const phone = (extension: number) => ({ extension, registrations: [{ extension }] })
const hello = { config_version: 3, exchange: true, calls: [], registrations: [] }

it('draws five thousand phones that come at once two times', () => {
  Source.last.says('hello', hello)
  let drawn = 0
  const stopDrawing = new QueryObserver<Registration[]>(client, { queryKey: ['live', 'registrations'], staleTime: Infinity }).subscribe(() => drawn++)
  for (let extension = 1; extension <= 5000; extension++) Source.last.says('registrations', phone(extension))
  expect(client.getQueryData<Registration[]>(['live', 'registrations'])).toHaveLength(1)
  vi.advanceTimersByTime(300)
  expect(client.getQueryData<Registration[]>(['live', 'registrations'])).toHaveLength(5000)
  expect(drawn).toBe(2)
  Source.last.says('registrations', { extension: 7, registrations: [] })
  vi.advanceTimersByTime(300)
  expect(client.getQueryData<Registration[]>(['live', 'registrations'])).toHaveLength(4999)
  stopDrawing()
})

it('keeps what events told in their order, whatever was asked for before', async () => {
  let answered: (calls: unknown[]) => void = () => undefined
  const asked = new Promise<unknown[]>((resolve) => (answered = resolve))
  const calls = new QueryObserver<unknown[]>(client, { queryKey: ['live', 'calls'], queryFn: () => asked, staleTime: Infinity })
  const stopDrawing = calls.subscribe(() => undefined)
  Source.last.says('hello', { ...hello, calls: [{ id: 1, state: 'ringing' }] })
  Source.last.says('call', { id: 1, state: 'connected' })
  Source.last.says('call', { id: 2, state: 'ringing' })
  Source.last.says('call_ended', { call: 2 })
  answered([{ id: 1, state: 'setup' }, { id: 9, state: 'setup' }])
  await vi.advanceTimersByTimeAsync(300)
  expect(client.getQueryData(['live', 'calls'])).toEqual([{ id: 1, state: 'connected' }])
  // A picture is newer than what is still to be drawn.
  Source.last.says('call', { id: 3, state: 'ringing' })
  Source.last.says('call', { id: 4, state: 'ringing' })
  Source.last.says('hello', hello)
  await vi.advanceTimersByTimeAsync(300)
  expect(client.getQueryData(['live', 'calls'])).toEqual([])
  stopDrawing()
})
