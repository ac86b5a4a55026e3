// How calls ended, as colours.
import type { Schemas } from '../../api/client'
import type { State } from '../../kit/small'

export const STATE: Record<Schemas['Disposition'], State> = {
  answered: 'good',
  no_answer: 'quiet',
  busy: 'quiet',
  cancelled: 'quiet',
  rejected: 'quiet',
  unreachable: 'warn',
  unknown_number: 'warn',
  failed: 'bad',
  interrupted: 'bad',
}
