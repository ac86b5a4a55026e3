// What is in each slot, in a word.
import type { Slots } from '../../api/machine'

/**
 * `runs` and proved itself, `tried` and not proved yet, `next` is started next time, `kept` to go back
 * to, `failed` and was left.
 */
export type SlotState = 'runs' | 'tried' | 'next' | 'kept' | 'failed' | 'unknown'

export function slotStates({ running, version, other_version, upgrade }: Slots) {
  const { state } = upgrade
  const other: SlotState =
    state === 'ready' ? 'next' : !other_version ? 'unknown' : state === 'failed' && other_version === upgrade.version ? 'failed' : 'kept'
  const slots: { slot: Slots['running']; version: string | null; state: SlotState }[] = [
    { slot: running, version, state: state === 'trying' ? 'tried' : 'runs' },
    { slot: running === 'A' ? 'B' : 'A', version: other_version ?? null, state: other },
  ]
  return slots.sort((one, another) => one.slot.localeCompare(another.slot))
}
