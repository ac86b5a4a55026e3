// Brings the extensions of a stored user to what the dialog says.
import { answer, api } from '../../api/client'
import { type Extension, path, type User } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { showCredentials } from '../extensions/credentials'
import type { Own } from './Extensions'

async function give(id: number, user: number | null) {
  const { data, error, response } = await api.GET('/api/v1/extensions/{id}', { params: { path: { id } } })
  if (!data) throw Problem.of(response, error)
  const { etag, number, description, caller_name, caller_id, enabled, sip_username, codecs, srtp, permission_group }: Extension = data
  const body = { number, description, caller_name, caller_id, enabled, sip_username, codecs, srtp, permission_group, user }
  await answer(api.PUT('/api/v1/extensions/{id}', { params: path(id, etag), body }))
}

export async function assign(user: User, own: Own[]) {
  const made = []
  try {
    const kept = own.map(({ id }) => id)
    for (const { id } of user.extensions) if (!kept.includes(id)) await give(id, null)
    for (const { id, number } of own) {
      if (id === null) {
        const body = { number, user: user.id }
        made.push(await answer(api.POST('/api/v1/extensions', { body })))
      } else if (!user.extensions.some((extension) => extension.id === id)) await give(id, user.id)
    }
  } catch (error) {
    // What is wrong with an extension is wrong with the field they are in.
    const problem = Problem.from(error)
    throw new Problem({
      code: problem.code === 'changed' ? 'conflict' : problem.code,
      detail: problem.detail,
      errors: problem.errors.map((fault) => ({ ...fault, pointer: '/extensions' })),
    })
  } finally {
    await showCredentials(made)
  }
}
