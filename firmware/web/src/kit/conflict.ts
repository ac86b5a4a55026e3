// Two people changed the same thing: what is different, and what a merge of both would be.

export interface Difference<V> {
  field: keyof V & string
  /** As it was when the form was opened. */
  before: unknown
  theirs: unknown
  mine: unknown
  /** True where both changed it, and not to the same. */
  clash: boolean
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** The fields that the other one changed. */
export function differences<V extends object>(before: V, theirs: V, mine: V): Difference<V>[] {
  return (Object.keys(theirs) as (keyof V & string)[])
    .filter((field) => !same(before[field], theirs[field]))
    .map((field) => ({
      field,
      before: before[field],
      theirs: theirs[field],
      mine: mine[field],
      clash: !same(before[field], mine[field]) && !same(mine[field], theirs[field]),
    }))
}

/** Theirs, with what I changed on top. */
export function merge<V extends object>(before: V, theirs: V, mine: V): V {
  const changed = Object.entries(mine).filter(([field, value]) => !same(before[field as keyof V], value))
  return { ...theirs, ...Object.fromEntries(changed) }
}
