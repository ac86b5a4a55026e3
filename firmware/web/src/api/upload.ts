// A file is sent to the box, and how far it is is told: fetch can't.
import { answer, api } from './client'
import { Problem } from './problem'

/** `tell` gets the part that is sent, 0 to 1. */
export async function upload<T>(path: string, file: Blob, tell: (part: number) => void, signal: AbortSignal): Promise<T> {
  // Where the session is over it is opened anew before anything is sent, not after all of it.
  await answer(api.GET('/api/v1/session'))
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => tell(total > 0 ? loaded / total : 0)
    request.onload = () => {
      if (request.status < 300) return done(request.response as T)
      const after = request.getResponseHeader('Retry-After')
      const answered = new Response(null, { status: request.status, headers: after ? { 'Retry-After': after } : {} })
      fail(Problem.of(answered, request.response))
    }
    request.onerror = () => fail(new Problem({ code: 'unreachable' }))
    request.onabort = () => fail(new Problem({ code: 'cancelled' }))
    signal.addEventListener('abort', () => request.abort())
    request.send(file)
  })
}
