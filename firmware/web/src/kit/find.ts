// Searching and sorting of lists: by words in any order, without regard to case and accents;
// numbers by their value.
import { tag } from './time'

export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** True where every word of `query` is in `folded`. */
export function matches(folded: string, query: string): boolean {
  return query === '' || fold(query).split(/\s+/).every((word) => folded.includes(word))
}

export type Value = string | number | boolean | null | undefined

/** Compares two values; what is missing comes last. */
export function compare(): (one: Value, other: Value) => number {
  const collator = new Intl.Collator(tag(), { numeric: true, sensitivity: 'base' })
  const missing = (value: Value) => value === null || value === undefined || value === ''
  return (one, other) => {
    if (missing(one) || missing(other)) return Number(missing(one)) - Number(missing(other))
    if (typeof one === 'string' && typeof other === 'string') return collator.compare(one, other)
    return Number(one) - Number(other)
  }
}
