// The menu over ssh as the form has it: keys are lines.
import type { RemoteMenuSettings } from '../../api/machine'

export interface RemoteValues {
  enabled: boolean
  keys: string
}

export function toRemoteValues({ enabled, keys }: RemoteMenuSettings): RemoteValues {
  return { enabled, keys: keys.join('\n') }
}

/** Keys in the order of their lines; lines without anything are none. */
export function toRemote({ enabled, keys }: RemoteValues): RemoteMenuSettings {
  const lines = keys.split('\n').map((line) => line.trim())
  return { enabled, keys: lines.filter(Boolean) }
}
