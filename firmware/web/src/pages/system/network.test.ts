import { describe, expect, it } from 'vitest'
import type { Network, NetworkSettings } from '../../api/machine'
import { Problem } from '../../api/problem'
import { atFields } from './faults'
import { maskOf, portsOf, toSettings, toValues, waysTo } from './network'

const settings: NetworkSettings = {
  host_name: 'box',
  gateway: null,
  dns: ['10.1.1.1', '10.1.1.2'],
  interfaces: [{ name: 'eth0', dhcp: false, address: '10.10.10.1/24' }, { name: 'eth1', dhcp: true, address: null }],
}
const now: Network = {
  settings,
  interfaces: ['eth0', 'eth1', 'eth2'].map((name) => ({
    name, mac: '02:00:00:00:00:01', carrier: true, addresses: name === 'eth1' ? ['192.168.1.7/24'] : [], lease_until: null,
  })),
  gateway: null, dns: [], confirm_within_s: null, etag: '',
}
const here = { hostname: '10.10.10.1', port: '4021' }

describe('the network', () => {
  it('comes back from the form as it went in', () => {
    expect(toSettings(toValues(settings), ['eth0', 'eth1'])).toEqual(settings)
    const typed = { ...toValues(settings), dns: ' 9.9.9.9 8.8.8.8,', gateway: ' 10.10.10.254 ' }
    expect(toSettings(typed, ['eth0'])).toMatchObject({ dns: ['9.9.9.9', '8.8.8.8'], gateway: '10.10.10.254' })
  })

  it('shows ports that are not set too', () => {
    expect(portsOf(now)).toEqual(['eth0', 'eth1', 'eth2'])
  })

  it('has its faults at the fields', () => {
    const errors = ['/interfaces/1/addressing/address', '/dns/1', '/gateway', '/other'].map((pointer) => ({ pointer, code: 'invalid' as const, detail: 'x' }))
    const moved = atFields(new Problem({ code: 'invalid', errors })).errors
    expect(moved?.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/address_1 machine_interfaces', '/dns/1 machine_dns', '/gateway machine_gateway', '/other invalid',
    ])
  })

  it('tells a mask from a length', () => {
    expect(maskOf('10.10.10.1/24')).toBe('255.255.255.0')
    expect(maskOf(' 10.0.0.1/9')).toBe('255.128.0.0')
    expect(maskOf('10.0.0.1')).toBeNull()
    expect(maskOf('10.0.0.1/31')).toBeNull()
  })

  it('leads to where the box will be', () => {
    expect(waysTo(settings, now, here)).toEqual({ links: [], leased: false, stays: true })
    const moved = { ...settings, interfaces: [{ name: 'eth0', dhcp: false, address: '10.20.0.1/16' }] }
    expect(waysTo(moved, now, here)).toEqual({ links: ['https://10.20.0.1:4021/admin/system/network'], leased: false, stays: false })
    const asked = { ...settings, interfaces: [{ name: 'eth0', dhcp: true, address: null }] }
    expect(waysTo(asked, now, here)).toEqual({ links: [], leased: true, stays: false })
    expect(waysTo(settings, now, { hostname: '192.168.1.7', port: '' }).stays).toBe(true)
  })
})
