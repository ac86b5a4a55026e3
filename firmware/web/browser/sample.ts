// An office of fifty, as the pages show it in tests and pictures.
import type { Box } from './box'
import { Phone } from './phone'
import { Talker, TALKERS } from './talker'

const FIRST = ['Jana', 'Petr', 'Eva', 'Tomáš', 'Lucie', 'Martin', 'Alena', 'Jiří', 'Hana', 'Pavel']
const LAST = ['Nováková', 'Svoboda', 'Dvořáková', 'Černý', 'Procházková', 'Kučera', 'Veselá', 'Horák', 'Němcová', 'Marek']
const ROOMS = ['Reception', 'Warehouse', 'Meeting room', 'Workshop', 'Door', 'Canteen']

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Adds users with an extension each, and some extensions without a user. */
/** From 101 on, but for the emergency numbers. */
const number = (index: number) => 101 + index + (index > 10 ? 1 : 0) + (index > 47 ? 10 : 0)

export async function fill(box: Box, users = 50): Promise<void> {
  for (let index = 0; index < users; index++) {
    const first = FIRST[index % FIRST.length]!
    const last = LAST[(index * 3 + Math.floor(index / 10)) % LAST.length]!
    const name = `${plain(first)}.${plain(last)}${index >= 10 ? Math.floor(index / 10) + 1 : ''}`
    const { id } = await box.api<{ id: number }>('POST', '/users', {
      name,
      full_name: `${first} ${last}`,
      email: `${name}@example.com`,
      language: index % 3 === 0 ? 'cs' : 'en',
      enabled: index % 17 !== 16,
      role: index === 3 ? 'read_only' : index === 5 ? 'read_write' : 'user',
      ...(index === 3 || index === 5 ? { password: `quiet river ${index} lantern` } : {}),
    })
    await box.api('POST', '/extensions', { number: String(number(index)), user: id, description: index % 4 === 0 ? 'Desk phone' : '' })
  }
  for (const [index, description] of ROOMS.entries()) {
    await box.api('POST', '/extensions', { number: String(201 + index), description })
  }
}

async function newPassword(box: Box, number: string): Promise<string> {
  const { extensions } = await box.api<{ extensions: { id: number; number: string }[] }>('GET', '/extensions?limit=500')
  const { id } = extensions.find((one) => one.number === number)!
  const { sip_password } = await box.api<{ sip_password: string }>('POST', `/extensions/${id}/sip-password`, {})
  return sip_password
}

/** A provider with some numbers that does not answer, one with a block, another exchange, and routes. */
export async function ways(box: Box): Promise<void> {
  const off = { called: { strip: 6, prefix: '' }, calling: { strip: 0, prefix: '9' } }
  const silent = { host: '127.0.0.1', port: 9, username: '5550100', password: 'quiet river lantern', register: true }
  const numbers = ['5550100', '5550101', '5550105', '5550191'].map((number, index) => ({ number, extension: index + 1 }))
  const { id } = await box.api<{ id: number }>('POST', '/interfaces', {
    name: 'provider1', partner: 'provider', server: silent, numbers, operator: 1, prefix: '9',
  })
  const block = await box.api<{ id: number }>('POST', '/interfaces', {
    name: 'provider2', partner: 'provider', server: { host: '127.0.0.1', port: 5099 },
    numbers: [{ number: '800225XXX' }], operator: 1, incoming: off,
  })
  await box.api('POST', '/interfaces', { name: 'branch', partner: 'exchange', server: { host: '127.0.0.1', port: 5098 }, prefix: '3' })
  await box.api('POST', '/interfaces', {
    name: 'old-line', partner: 'provider', enabled: false, server: { host: '127.0.0.1', port: 5097 }, numbers: [{ number: '5550700' }],
  })
  const outgoing = { called: { strip: 1, prefix: '' }, calling: { strip: 1, prefix: '01' } }
  await box.api('PUT', '/routes/1', { prefix: '9', description: 'All calls out', interfaces: [id, block.id], outgoing }, { 'if-match': '*' })
  const rules = [
    { prefix: '9900654321', permission: 'allow' },
    { prefix: '9900', permission: 'deny' },
    { prefix: '9900111', permission: 'allow' },
    { prefix: '00', permission: 'deny' },
  ]
  await box.api('POST', '/call-permission-groups', { name: 'No premium rates', description: 'Office', rules, default: 'allow' })
}

/** A phone with the extension of this number. */
export async function connect(box: Box, number: string, host: number): Promise<Talker> {
  return Talker.start(box, host, number, await newPassword(box, number))
}

/** The phones of an office; they stay until they are closed. */
export interface Office {
  close: () => Promise<void>
}

/** Fifty users, some phones, calls that were, and one that lasts where real phones are there. */
export async function office(box: Box): Promise<Office> {
  await fill(box)
  await ways(box)
  await box.call('POST', '/api/v1/session', { name: 'root', password: 'not the password' })
  const talkers = TALKERS ? await talk(box) : []
  const phones: Phone[] = []
  for (const number of ['101', '102', '104', '107', '110', '201']) {
    const phone = new Phone(box, number, await newPassword(box, number), number === '104' ? 'Linphone 5.2' : 'Snom 320')
    phones.push(phone)
    await phone.registerSoon()
  }
  // One whose connection is gone, and somebody who entered another password.
  const lost = new Phone(box, '108', await newPassword(box, '108'), 'Yealink T46S', 'tcp')
  await lost.registerSoon(3600)
  lost.close()
  const wrong = new Phone(box, '108', 'not the password', 'Yealink T46S')
  await wrong.register().catch(() => undefined)
  wrong.close()
  const unknown = new Phone(box, 'yealink-109', 'any password', 'Yealink T46S')
  await unknown.register().catch(() => undefined)
  unknown.close()
  return {
    close: async () => {
      for (const phone of phones) phone.close()
      for (const talker of talkers) await talker.stop()
    },
  }
}

/** Real calls for the history, one of each kind, and one that lasts until the phones stop. */
export async function talk(box: Box): Promise<Talker[]> {
  const [one, other] = [await connect(box, '103', 31), await connect(box, '105', 32)]
  for (const dialled of ['199', '130']) await one.hears('ended', await one.dial(dialled))
  for (const code of [486, 603]) {
    const call = await one.dial('105')
    await other.does('answer', { call: await other.rings(), code })
    await one.hears('ended', call)
  }
  const given = await one.dial('105')
  await other.rings()
  await one.does('hangup', { call: given })
  await one.hears('ended', given)
  const call = await other.dial('103')
  await one.does('answer', { call: await one.rings() })
  await other.hears('established', call)
  // Long enough that both phones have told how it sounds (RTCP, every five seconds).
  await new Promise((done) => setTimeout(done, 12_000))
  await other.does('hangup', { call })
  await other.hears('ended', call)
  await one.dial('105')
  await other.does('answer', { call: await other.rings() })
  return [one, other]
}
