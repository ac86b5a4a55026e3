// The network as the form has it and as the box has it, and how the box is reached afterwards.
import type { Network, NetworkSettings } from '../../api/machine'

/** Whether it asks DHCP, and the address, for each port by its place. */
export type Values = {
  host_name: string
  gateway: string
  dns: string
} & { [name in `way_${number}`]: 'dhcp' | 'static' } & { [name in `address_${number}`]: string }

export function toValues({ host_name, gateway, dns, interfaces }: NetworkSettings): Values {
  const values: Values = { host_name, gateway: gateway ?? '', dns: (dns ?? []).join(', ') }
  for (const [index, { dhcp, address }] of interfaces.entries()) {
    values[`way_${index}`] = dhcp ? 'dhcp' : 'static'
    values[`address_${index}`] = address ?? ''
  }
  return values
}

export function toSettings(values: Values, ports: string[]): NetworkSettings {
  return {
    host_name: values.host_name.trim(),
    gateway: values.gateway.trim() || null,
    dns: values.dns.split(/[\s,;]+/).filter(Boolean),
    interfaces: ports.map((name, index) => ({
      name,
      dhcp: values[`way_${index}`] === 'dhcp',
      address: values[`address_${index}`]?.trim() || null,
    })),
  }
}

/** All ports that there are: those that are set, and those that are not used yet. */
export function portsOf({ settings, interfaces }: Network): string[] {
  return [...new Set([...settings.interfaces.map(({ name }) => name), ...interfaces.map(({ name }) => name)])]
}

/** `10.10.10.1/24` has the mask `255.255.255.0`; nothing where it is none yet. */
export function maskOf(address: string): string | null {
  const bits = Number(/^[\d.]+\/(\d{1,2})$/.exec(address.trim())?.[1] ?? NaN)
  if (!(bits >= 1 && bits <= 30)) return null
  const mask = 2 ** 32 - 2 ** (32 - bits)
  return [24, 16, 8, 0].map((by) => Math.floor(mask / 2 ** by) % 256).join('.')
}

export interface Ways {
  /** Addresses of these pages that are sure to be there. */
  links: string[]
  /** True where a DHCP server gives an address that nobody knows yet. */
  leased: boolean
  /** True where this page's own address stays. */
  stays: boolean
}

/** How these pages are reached once it is so; `here` is where they are now. */
export function waysTo(settings: NetworkSettings, now: Network, here: { hostname: string; port: string }): Ways {
  const bare = (address: string) => address.split('/')[0]!
  const was = new Map(now.settings.interfaces.map((port) => [port.name, port]))
  const there = new Map(now.interfaces.map((port) => [port.name, port.addresses.map(bare)]))
  const stays = settings.interfaces.some(({ name, dhcp, address }) =>
    dhcp ? Boolean(was.get(name)?.dhcp) && Boolean(there.get(name)?.includes(here.hostname)) : bare(address ?? '') === here.hostname,
  )
  const fixed = settings.interfaces.flatMap(({ dhcp, address }) => (!dhcp && address ? [bare(address)] : []))
  const port = here.port && here.port !== '443' ? `:${here.port}` : ''
  return {
    links: fixed.filter((address) => address !== here.hostname).map((address) => `https://${address}${port}/admin/system/network`),
    leased: settings.interfaces.some(({ dhcp, name }) => dhcp && !was.get(name)?.dhcp),
    stays,
  }
}
