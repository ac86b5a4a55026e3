// How calls ended, in a word and as colours.
import type { Schemas } from '../../api/client'
import type { State } from '../../kit/small'

type Ending = Schemas['Disposition'] | 'ended'

/** What an administrator ended did not fail. */
export function ending({ disposition, ended_by }: Pick<Schemas['HistoryCall'], 'disposition' | 'ended_by'>): Ending {
  return disposition === 'failed' && ended_by === 'administrator' ? 'ended' : disposition
}

export const STATE: Record<Ending, State> = {
  answered: 'good',
  no_answer: 'quiet',
  busy: 'quiet',
  cancelled: 'quiet',
  rejected: 'quiet',
  unreachable: 'warn',
  unknown_number: 'warn',
  failed: 'bad',
  interrupted: 'bad',
  ended: 'quiet',
}
