// An office of fifty, as the pages show it in tests and pictures.
import type { Box } from './box'

const FIRST = ['Jana', 'Petr', 'Eva', 'Tomáš', 'Lucie', 'Martin', 'Alena', 'Jiří', 'Hana', 'Pavel']
const LAST = ['Nováková', 'Svoboda', 'Dvořáková', 'Černý', 'Procházková', 'Kučera', 'Veselá', 'Horák', 'Němcová', 'Marek']
const ROOMS = ['Reception', 'Warehouse', 'Meeting room', 'Workshop', 'Door', 'Canteen']

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Adds users with an extension each, and some extensions without a user. */
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
    await box.api('POST', '/extensions', { number: String(101 + index), user: id, description: index % 4 === 0 ? 'Desk phone' : '' })
  }
  for (const [index, description] of ROOMS.entries()) {
    await box.api('POST', '/extensions', { number: String(201 + index), description })
  }
}
