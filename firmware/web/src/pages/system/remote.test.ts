import { describe, expect, it } from 'vitest'
import { toRemote, toRemoteValues } from './remote'

describe('the keys of the menu over ssh', () => {
  it('are lines, of which empty ones are none', () => {
    const values = { enabled: true, keys: ' ssh-ed25519 AAAA one \n\nssh-rsa BBBB two\n' }
    const settings = { enabled: true, keys: ['ssh-ed25519 AAAA one', 'ssh-rsa BBBB two'] }
    expect(toRemote(values)).toEqual(settings)
    expect(toRemote(toRemoteValues(settings))).toEqual(settings)
    expect(toRemote({ enabled: false, keys: '\n' })).toEqual({ enabled: false, keys: [] })
  })
})
