// Editing what is stored, in a dialog or on a page: what isn't saved is guarded, errors are put at
// their fields, and it is noticed where two people change the same thing.
import { useForm, type UseFormReturnType } from '@mantine/form'
import { type RefObject, useEffect, useState } from 'react'
import { Problem } from '../api/problem'
import { merge, same } from './conflict'
import { done } from './toast'
import { useUnsaved } from './unsaved'

export type Form<V extends object> = UseFormReturnType<V>

/** What is stored: the values as the form has them, and which revision that is. */
export interface Stored<V> {
  values: V
  etag: string
}

interface Props<V extends object> {
  /** What is stored now, kept up to date; nothing where something is added. */
  stored?: Stored<V>
  /** What the form begins with where something is added. */
  initial: V
  /** Stores the values; the tag is for If-Match. Returns what to tell, or nothing. */
  save: (values: V, etag: string) => Promise<string | undefined>
  /** Reads again what is stored. */
  refresh: () => Promise<unknown>
  /** Called once it is saved. */
  onSaved?: () => void
  /** Brings somebody to the fields that need another value. */
  point: (errors: Record<string, string>) => void
  readOnly: boolean
}

/** Goes to the first field with an error, once it is drawn. */
export function focusFault(form: RefObject<HTMLFormElement | null>) {
  setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
}

export function useEdit<V extends object>({ stored, initial, save, refresh, onSaved, point, readOnly }: Props<V>) {
  const [base, setBase] = useState(stored)
  const form = useForm<V>({ initialValues: stored?.values ?? initial })
  const [trouble, setTrouble] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  /** What the box took of this form, as long as the answer to that has not come in `stored`. */
  const [taken, setTaken] = useState<Stored<V> | null>(null)
  const dirty = !readOnly && !same(form.values, taken?.values ?? base?.values ?? initial)
  const leave = useUnsaved(dirty)
  const moved = base && stored && stored.etag !== base.etag && !saving
  const own = moved && taken?.etag === base.etag

  // Another revision, but it came of what was sent here (the box may have put it in another form), nothing was
  // typed here, or it says the same as before or as this form.
  const follows = moved && (own || !dirty || same(stored.values, base.values) || same(stored.values, form.values))
  useEffect(() => {
    if (!follows) return
    if (own) form.setValues(merge(taken.values, stored.values, form.values))
    else if (!dirty) form.setValues(stored.values)
    // The form is a store of its own, which has to be brought along.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setBase(stored)
    setTaken(null)
  }, [follows, own, taken, dirty, stored, form])

  async function send(values: V, etag: string) {
    setSaving(true)
    setTrouble(null)
    form.clearErrors()
    try {
      const said = await save(values, etag)
      if (base) setTaken({ values, etag: base.etag })
      if (said) done(said)
      if (onSaved) await leave(onSaved, true)
    } catch (error) {
      const problem = Problem.from(error)
      if (problem.code === 'changed') await refresh()
      else if (problem.code !== 'cancelled') {
        const { '': rest, ...errors } = problem.fields(Object.keys(initial))
        form.setErrors(errors)
        setTrouble(rest ?? (Object.keys(errors).length > 0 ? null : problem.text()))
        point(errors)
      }
    } finally {
      setSaving(false)
    }
  }

  function take(values: V) {
    setBase(stored)
    setTaken(null)
    form.setValues(values)
    form.clearErrors()
  }

  const conflict =
    moved && !follows
      ? {
          before: base.values,
          theirs: stored.values,
          mine: form.values,
          onMine: () => {
            const merged = merge(base.values, stored.values, form.values)
            take(merged)
            void send(merged, stored.etag)
          },
          onTheirs: () => take(stored.values),
        }
      : null
  return {
    form,
    dirty,
    conflict,
    saving,
    trouble,
    leave,
    submit: () => {
      if (!readOnly && !saving && !conflict) void send(form.values, base?.etag ?? '*')
    },
    /** Back to what is stored. */
    discard: () => {
      form.setValues(taken?.values ?? base?.values ?? initial)
      form.clearErrors()
      setTrouble(null)
    },
  }
}
