// What is wrong with the extensions that are sent with a user: told at the row where each was typed.
import { Problem } from '../../api/problem'

const NEW = '/new_extensions/'

/** By the place among the new ones; the rest of the problem is that of the form. */
export function byRow(problem: Problem): { rows: Record<string, string>; rest: Problem } {
  const own = problem.errors
    .filter(({ pointer }) => pointer.startsWith(NEW))
    // Its phones log in with its number: that is what was typed.
    .map((fault) => ({ ...fault, code: fault.code === 'name_taken' ? ('number_taken' as const) : fault.code, pointer: fault.pointer.slice(NEW.length - 1) }))
  if (own.length === 0) return { rows: {}, rest: problem }
  const rows = new Problem({ code: problem.code, errors: own }).fields(own.map(({ pointer }) => pointer.split('/')[1] ?? ''))
  const others = problem.errors.filter(({ pointer }) => !pointer.startsWith(NEW))
  const { code, detail } = problem
  return { rows, rest: new Problem({ code, detail, errors: [...others, { ...own[0]!, pointer: '/extensions' }] }) }
}
