// Ringing rules as they are edited: numbers as they are dialled, seconds as they are typed.
import type { Schemas } from '../../api/client'
import type { Extension } from '../../api/configuration'

type Rules = Schemas['RingingRules']
type Target = Schemas['RingingTarget']

export interface RingRow {
  to: string
  after: string
  until: string
}

export interface RingingValues {
  rings: RingRow[]
  do_not_disturb: boolean
  always: string
  busy: string
  no_answer: string
  no_answer_s: string
}

export function ringingOf(rules: Rules | undefined, all: Extension[]): RingingValues {
  const text = (target: Target | null | undefined) => {
    if (!target) return ''
    return 'number' in target ? target.number : (all.find(({ id }) => id === target.extension)?.number ?? '')
  }
  return {
    rings: (rules?.rings ?? []).map(({ target, after_s, for_s }) => ({ to: text(target), after: String(after_s ?? 0), until: String(for_s ?? '') })),
    do_not_disturb: rules?.do_not_disturb ?? false,
    always: text(rules?.always),
    busy: text(rules?.busy),
    no_answer: text(rules?.no_answer),
    no_answer_s: String(rules?.no_answer_s ?? ''),
  }
}

export function rulesOf(values: RingingValues, all: Extension[]): Rules {
  // Somebody's number is that extension, whatever number it gets later.
  const target = (text: string): Target => {
    const number = text.replace(/[ ()-]/g, '')
    const found = all.find((extension) => extension.number === number)
    return found ? { extension: found.id } : { number }
  }
  const optional = (text: string) => (text.trim() ? target(text) : null)
  const seconds = (text: string) => (/^\d+$/.test(text.trim()) ? Math.min(Number(text), 9999) : null)
  return {
    rings: values.rings.filter(({ to }) => to.trim()).map(({ to, after, until }) => ({ target: target(to), after_s: seconds(after) ?? 0, for_s: seconds(until) })),
    do_not_disturb: values.do_not_disturb,
    always: optional(values.always),
    busy: optional(values.busy),
    no_answer: optional(values.no_answer),
    no_answer_s: seconds(values.no_answer_s),
  }
}
