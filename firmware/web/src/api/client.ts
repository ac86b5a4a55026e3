// The API as the OpenAPI document has it. A request that finds the session over waits until
// somebody has logged in again, and is then sent once more: nothing typed is lost.
import createClient from 'openapi-fetch'
import { Problem } from './problem'
import type { components, paths } from './schema'

export type Schemas = components['schemas']

type Login = () => Promise<unknown>

let logInAgain: Login | undefined

/** Says how a session is opened anew; the frame does so while somebody is logged in. */
export function onSessionEnd(login: Login | undefined) {
  logInAgain = login
}

/** What is asked for so long after somebody did something is asked by the page itself. */
const ATTENDED_MS = 30_000
/** Who works without asking for anything keeps the session so often. */
const KEEP_MS = 5 * 60_000

let deed = Date.now()
let kept = Date.now()

/** Notes that somebody does something; returns how to stop. */
export function watchDeeds(): () => void {
  const note = () => {
    deed = Date.now()
    if (logInAgain && deed - kept > KEEP_MS) {
      kept = deed
      void api.GET('/api/v1/session').catch(() => undefined)
    }
  }
  const kinds = ['pointerdown', 'keydown', 'wheel'] as const
  for (const kind of kinds) window.addEventListener(kind, note, { capture: true, passive: true })
  return () => {
    for (const kind of kinds) window.removeEventListener(kind, note, { capture: true })
  }
}

async function send(request: Request): Promise<Response> {
  // An open page alone does not keep the session.
  if (Date.now() - deed > ATTENDED_MS) request.headers.set('X-Unattended', '1')
  else kept = Date.now()
  const again = request.clone()
  const response = await fetch(request)
  const own = request.method !== 'GET' && new URL(request.url).pathname === '/api/v1/session'
  if (response.status !== 401 || own || !logInAgain) return response
  await logInAgain()
  return fetch(again)
}

export const api = createClient<paths>({ fetch: send })

/** What is stored, with the revision that it is. */
export type Tagged<T> = T & { etag: string }

/** As `answer`, with the tag for If-Match. */
export async function tagged<T extends object>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Tagged<T>> {
  let etag = '*'
  const told = request.then((result) => {
    etag = result.response.headers.get('ETag') ?? etag
    return result
  })
  return { ...(await answer(told)), etag }
}

/** What the API answers; throws a `Problem` where it refuses or can't be reached. */
export async function answer<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result
  try {
    result = await request
  } catch (error) {
    if (error instanceof Problem || (error instanceof DOMException && error.name === 'AbortError')) throw error
    throw new Problem({ code: 'unreachable' })
  }
  if (!result.response.ok) throw Problem.of(result.response, result.error)
  return result.data as T
}
