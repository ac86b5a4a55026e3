// What the machine refuses, said at the fields of the forms in the reader's language: the machine's own
// words are English.
import { Problem } from '../../api/problem'

const NAMES = ['host_name', 'interfaces', 'gateway', 'dns', 'zone', 'servers', 'keys']

/** The same problem, with its faults at the fields of the form and in words of the pages. */
export function atFields(problem: Problem): Problem {
  const errors = problem.errors?.map((error) => {
    const [, name = '', index] = error.pointer.split('/')
    const port = name === 'interfaces' && index !== undefined
    const known = port || NAMES.includes(name)
    // Keys are lines of one field.
    const pointer = port ? `/address_${index}` : name === 'keys' ? '/keys' : error.pointer
    return { ...error, pointer, code: known ? `machine_${name}` : error.code }
  })
  const { code, detail, etag, changedBy, retryAfter } = problem
  return new Problem({ code, detail, etag, changedBy, retryAfter, errors: errors as Problem['errors'] })
}
