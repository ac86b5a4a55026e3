import { describe, expect, it } from 'vitest'
import type { Slots } from '../../api/machine'
import { slotStates } from './slots'

const slots = (part: Partial<Slots>, state: Slots['upgrade']['state'] = 'none', version: string | null = null): Slots => ({
  running: 'A', version: '1.0.0', confirmed: 'A', other_version: null,
  upgrade: { state, version, per_cent: null, at: null, fault: null, reason: null }, ...part,
})
const said = (of: Slots) => slotStates(of).map(({ slot, version, state }) => `${slot} ${version} ${state}`)

describe('the slots', () => {
  it('say what runs, what comes next and what is kept', () => {
    expect(said(slots({}))).toEqual(['A 1.0.0 runs', 'B null unknown'])
    expect(said(slots({ other_version: '1.1.0' }, 'ready', '1.1.0'))).toEqual(['A 1.0.0 runs', 'B 1.1.0 next'])
    expect(said(slots({ running: 'B', version: '1.1.0', other_version: '1.0.0' }, 'trying', '1.1.0'))).toEqual(['A 1.0.0 kept', 'B 1.1.0 tried'])
    expect(said(slots({ running: 'B', version: '1.1.0', other_version: '1.0.0' }, 'done', '1.1.0'))).toEqual(['A 1.0.0 kept', 'B 1.1.0 runs'])
    expect(said(slots({ other_version: '1.1.0' }, 'failed', '1.1.0'))).toEqual(['A 1.0.0 runs', 'B 1.1.0 failed'])
    expect(said(slots({ other_version: '0.9.0' }, 'failed'))).toEqual(['A 1.0.0 runs', 'B 0.9.0 kept'])
  })
})
