// Interfaces and routes as forms have them, and as the exchange takes them.
import type { Schemas } from '../../api/client'
import type { Extension, Interface } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { USUAL_CODECS } from '../../kit/codecs'
import { type Rules } from './rewrite'

export interface Mapped {
  number: string
  extension: number | null
}

export interface InterfaceValues {
  enabled: boolean
  name: string
  partner: Schemas['Partner']
  operator: number | null
  host: string
  port: string
  username: string
  password: string
  /** The password there is goes. */
  no_password: boolean
  register: boolean
  numbers: Mapped[]
  incoming: Rules
  user_id: string
  transport: Schemas['Transport']
  external_address: string
  identity: Schemas['IdentityHeader']
  codecs: Schemas['Codec'][]
  srtp: Schemas['Srtp']
}

export const NEW: InterfaceValues = {
  enabled: true, name: '', partner: 'provider', operator: null, host: '', port: '', username: '', password: '', no_password: false,
  register: true, numbers: [], incoming: { called: { strip: 0, prefix: '' }, calling: { strip: 0, prefix: '' } },
  user_id: '', transport: 'udp', external_address: '', identity: 'from', codecs: USUAL_CODECS, srtp: 'off',
}

export function valuesOf({ server, ...rest }: Interface): InterfaceValues {
  return {
    enabled: rest.enabled,
    name: rest.name,
    partner: rest.partner,
    operator: rest.operator,
    host: server.host,
    port: server.port === null ? '' : String(server.port),
    username: server.username,
    password: '',
    no_password: false,
    register: server.register,
    numbers: rest.numbers.map(({ number, extension }) => ({ number, extension: extension ?? null })),
    incoming: rest.incoming,
    user_id: server.user_id ?? '',
    transport: server.transport,
    external_address: server.external_address ?? '',
    identity: server.identity,
    codecs: rest.codecs,
    srtp: rest.srtp,
  }
}

export function bodyOf(values: InterfaceValues): Schemas['InterfaceChange'] {
  const port = values.port.trim()
  const password = values.no_password ? null : values.password || undefined
  return {
    name: values.name.trim(),
    enabled: values.enabled,
    partner: values.partner,
    server: {
      host: values.host.trim(),
      port: port === '' ? null : /^\d+$/.test(port) ? Number(port) : 0,
      transport: values.transport,
      username: values.username.trim(),
      user_id: values.user_id.trim() || null,
      ...(password === undefined ? {} : { password }),
      register: values.register,
      external_address: values.external_address.trim() || null,
      identity: values.identity,
    },
    numbers: values.numbers
      .map(({ number, extension }) => ({ number: number.trim(), extension }))
      .filter(({ number, extension }) => number !== '' || extension !== null),
    operator: values.operator,
    incoming: values.incoming,
    codecs: values.codecs,
    srtp: values.srtp,
  }
}

/** What each field may be, in words of its own: by its name, or by name and code. */
const WORDS: Record<string, string> = {
  host: 'routing_host', port: 'routing_port', username: 'routing_user', user_id: 'routing_user', password: 'routing_password',
  external_address: 'routing_address', 'numbers number_taken': 'routing_numbers_taken', numbers: 'routing_numbers',
  'prefix number_taken': 'routing_prefix_taken', prefix: 'routing_prefix', incoming: 'routing_rewriting', outgoing: 'routing_rewriting',
  interfaces: 'routing_interfaces', operator: 'unknown_reference',
}

/** What is refused, at the fields of the forms: the account's are a level deeper in what is sent. */
export function atFields(error: unknown): Problem {
  const { code, detail, etag, changedBy, retryAfter, errors } = Problem.from(error)
  const told = errors.map((fault) => {
    const [, part = '', inner = ''] = fault.pointer.split('/')
    const name = part === 'server' ? inner : part
    const word = fault.code === 'unknown_reference' ? undefined : (WORDS[`${name} ${fault.code}`] ?? WORDS[name])
    return { ...fault, pointer: `/${name}`, code: word ?? fault.code }
  })
  return new Problem({ code, detail, etag, changedBy, retryAfter, errors: told as Problem['errors'] })
}

/** Extensions to choose from. */
export function choices(extensions: Extension[]): { value: number; label: string }[] {
  return extensions.map(({ id, number, description }) => ({ value: id, label: description ? `${number} – ${description}` : number }))
}

export function serverOf({ server: { host, port } }: Interface): string {
  return port === null ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
}
