// The settings of the clock as the form has them.
import type { TimeSettings } from '../../api/machine'

export interface TimeValues {
  zone: string
  servers: string
}

export function toTimeValues({ zone, servers }: TimeSettings): TimeValues {
  return { zone, servers: (servers ?? []).join(', ') }
}

export function toTime({ zone, servers }: TimeValues): TimeSettings {
  return { zone, servers: servers.split(/[\s,;]+/).filter(Boolean) }
}

/** All zones that the browser knows, and the one that is set, whatever it is. */
export function zones(chosen: string): string[] {
  return [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), chosen])]
}
