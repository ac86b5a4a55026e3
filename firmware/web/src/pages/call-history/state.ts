// How calls ended, in a word and as colours.
import type { Schemas } from '../../api/client'
import type { State } from '../../kit/small'

type Ending = Schemas['Disposition'] | 'ended' | 'unreachable_outside'

type Call = Pick<Schemas['HistoryCall'], 'disposition' | 'ended_by' | 'legs'>

/** The interface by which the called party was to be reached. */
export const wayOf = (legs: Call['legs']) => legs.find(({ side }) => side === 'called')?.interface ?? undefined

/** What an administrator ended did not fail, and outside there is no phone of ours. */
export function ending({ disposition, ended_by, legs }: Call): Ending {
  if (disposition === 'unreachable' && wayOf(legs)) return 'unreachable_outside'
  return disposition === 'failed' && ended_by === 'administrator' ? 'ended' : disposition
}

export const STATE: Record<Ending, State> = {
  answered: 'good',
  no_answer: 'quiet',
  busy: 'quiet',
  cancelled: 'quiet',
  rejected: 'quiet',
  unreachable: 'warn',
  unreachable_outside: 'warn',
  unknown_number: 'warn',
  not_permitted: 'warn',
  failed: 'bad',
  interrupted: 'bad',
  ended: 'quiet',
}
