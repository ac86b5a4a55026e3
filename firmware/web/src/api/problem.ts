// What the API says is wrong (RFC 9457), in the reader's language.
import i18next from 'i18next'
import type { components } from './schema'

type Body = components['schemas']['Problem']
/** The API's codes, and what happens where there is no API to answer. */
export type Code = Body['code'] | 'unreachable' | 'unknown' | 'cancelled'

interface Parts {
  code: Code
  detail?: string
  errors?: Body['errors']
  etag?: string
  changedBy?: string
  retryAfter?: number
}

export class Problem extends Error {
  readonly code: Code
  readonly detail: string
  readonly errors: Body['errors']
  readonly etag?: string
  readonly changedBy?: string
  readonly retryAfter?: number

  constructor(parts: Parts) {
    super(parts.detail ?? parts.code)
    this.code = parts.code
    this.detail = parts.detail ?? ''
    this.errors = parts.errors ?? []
    this.etag = parts.etag
    this.changedBy = parts.changedBy
    this.retryAfter = parts.retryAfter
  }

  static of(response: Response, body: unknown): Problem {
    const seconds = Number(response.headers.get('Retry-After') ?? NaN)
    const retryAfter = Number.isFinite(seconds) ? seconds : undefined
    if (typeof body !== 'object' || body === null || !('code' in body)) {
      return new Problem({ code: 'unknown', detail: `HTTP ${response.status}`, retryAfter })
    }
    const problem = body as Body
    return new Problem({
      code: problem.code,
      detail: problem.detail,
      errors: problem.errors,
      etag: problem.current_etag,
      changedBy: problem.changed_by,
      retryAfter,
    })
  }

  static from(error: unknown): Problem {
    if (error instanceof Problem) return error
    return new Problem({ code: 'unknown', detail: error instanceof Error ? error.message : String(error) })
  }

  /** What is wrong and what to do, as a sentence. */
  text(): string {
    const key = `problem.${this.code}`
    const options = { detail: this.detail, count: this.retryAfter ?? 0 }
    // A code that nobody meets in a page has no words of its own.
    return i18next.t(i18next.exists(key, options) ? (key as 'problem.other') : 'problem.other', options)
  }

  /** What is wrong with the fields of a form, by the name of the field; the rest stands under ''. */
  fields(names: readonly string[]): Record<string, string> {
    const found: Record<string, string> = {}
    for (const error of this.errors) {
      const name = error.pointer.split('/')[1] ?? ''
      const field = names.includes(name) ? name : ''
      found[field] ??= faultText(error.code, error.detail, name)
    }
    return found
  }
}

function faultText(code: string, detail: string, field: string): string {
  const own = `fault.${field}_${code}`
  const key = i18next.exists(own) ? own : `fault.${code}`
  // The codes of fields are open: what has no translation is told as the API tells it.
  // Who is named stands before the advice.
  const named = /: (.*)\. /.exec(detail)?.[1]
  return i18next.exists(key) ? i18next.t(key as 'fault.invalid', { named, detail }) : detail
}
