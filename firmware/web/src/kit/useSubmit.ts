// A form outside of a dialog: errors at their fields, the rest above the form.
import type { UseFormReturnType } from '@mantine/form'
import { type FormEvent, useState } from 'react'
import { Problem } from '../api/problem'

export function useSubmit<V extends object>(form: UseFormReturnType<V>, act: (values: V) => Promise<void>) {
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    // A dialog upon another one sends its form through that one too.
    event.stopPropagation()
    const at = event.currentTarget
    if (busy || form.validate().hasErrors) return
    setBusy(true)
    setTrouble(null)
    try {
      await act(form.values)
    } catch (error) {
      const problem = Problem.from(error)
      const { '': rest, ...errors } = problem.fields(Object.keys(form.values))
      form.setErrors(errors)
      setTrouble(rest ?? (Object.keys(errors).length > 0 ? null : problem.text()))
      setTimeout(() => at.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
    } finally {
      setBusy(false)
    }
  }
  return { submit: (event: FormEvent<HTMLFormElement>) => void submit(event), busy, trouble }
}
