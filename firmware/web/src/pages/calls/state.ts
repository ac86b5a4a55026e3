// How far calls are, as colours.
import type { Call } from '../../api/live'
import type { State } from '../../kit/small'

export const STATE: Record<Call['state'], State> = { setup: 'quiet', ringing: 'busy', connected: 'good', held: 'warn' }
