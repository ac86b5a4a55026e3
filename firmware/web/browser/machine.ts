// The `system` child of the supervisor as webd sees it (model::system): a box whose network, time and slots
// are only told of. The real one is tested where it may change a machine (tests/image).
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Box } from './box'

interface Port {
  name: string
  addressing: { addressing: 'static'; address: string } | { addressing: 'dhcp'; fallback: string | null }
}

interface Settings {
  host_name: string
  interfaces: Port[]
  gateway: string | null
  dns: string[]
}

interface Remote {
  enabled: boolean
  keys: string[]
}

interface Ask {
  by: string
  request: { request: string; settings?: Settings & Remote & { zone: string; servers: string[] }; file?: string; now?: number; after?: number | null }
}

export type Upgrade =
  | { state: 'none' }
  | { state: 'writing'; version: string; per_cent: number }
  | { state: 'ready' | 'trying'; version: string }
  | { state: 'done'; version: string; at: number }
  | { state: 'failed'; version: string | null; reason: string }

const GB = 1_000_000_000

export class Machine {
  /** What was asked that changes something, with who asked. */
  readonly asked: string[] = []
  upgrade: Upgrade = { state: 'none' }
  version = '0.1.0'
  running: 'A' | 'B' = 'A'
  otherVersion: string | null = null
  /** What becomes of an uploaded file; nothing is said where nothing is set. */
  taken: Upgrade = { state: 'writing', version: '0.2.0', per_cent: 40 }
  /** Seconds until a network that is tried goes back. */
  left: number | null = null
  settings: Settings = {
    host_name: 'operator-box',
    interfaces: [
      { name: 'eth0', addressing: { addressing: 'static', address: '10.10.10.1/24' } },
      { name: 'eth1', addressing: { addressing: 'dhcp', fallback: null } },
    ],
    gateway: null,
    dns: [],
  }
  time = { zone: 'Europe/Prague', servers: ['pool.ntp.org'] }
  remote: Remote = { enabled: false, keys: [] }
  /** True where a server has told the time. */
  synchronised = true
  private before = this.settings

  private constructor(private readonly server: Server, private readonly data: string) {}

  static async start(box: Box): Promise<Machine> {
    const path = join(box.data, 'run/system.sock')
    const server = createServer((stream) => {
      let text = ''
      stream.on('data', (part: Buffer) => {
        text += part.toString()
        if (text.endsWith('\n')) stream.end(`${JSON.stringify(machine.answer(JSON.parse(text) as Ask))}\n`)
      })
      stream.on('error', () => undefined)
    })
    const machine = new Machine(server, box.data)
    // Instead of the one that only shows this machine, which listens there.
    await new Promise<void>((done) => server.listen(`${path}.own`, done))
    renameSync(`${path}.own`, path)
    return machine
  }

  stop(): Promise<void> {
    return new Promise((done) => this.server.close(() => done()))
  }

  /** What the kernel says, the oldest first. */
  readonly kernel = [
    'Linux version 6.12.57 (builder@box) #1 SMP PREEMPT_DYNAMIC',
    'EXT4-fs (sda4): mounted filesystem r/w with ordered data mode',
    'e1000e 0000:01:00.0 eth0: NIC Link is Up 1000 Mbps Full Duplex',
    'supervisor: the system can be asked',
    'pbxd: the exchange is ready',
  ]

  private answer({ by, request: asked }: Ask): object {
    const { request } = asked
    if (!['network', 'time', 'health', 'slots', 'remote_menu', 'kernel_log'].includes(request)) this.asked.push(`${by}: ${request}`)
    switch (request) {
      case 'network':
        return this.network()
      case 'set_network':
        this.before = this.settings
        this.settings = asked.settings!
        this.left = 120
        return this.network()
      case 'confirm_network':
        this.left = null
        return this.network()
      case 'revert_network':
        this.settings = this.before
        this.left = null
        return this.network()
      case 'time':
        return this.clock()
      case 'set_time':
        if (!/^[A-Z]\w+\/\w+$/.test(asked.settings!.zone)) return { reply: 'refused', field: 'zone', text: 'there is no such zone' }
        this.time = asked.settings!
        return this.clock()
      case 'set_clock':
        return this.clock()
      case 'health':
        return {
          reply: 'health', board: 'operator-box-3000', uptime_s: 266_400, cpu: 0.07, memory_total: 2 * GB, memory_available: 1.6 * GB,
          disk_total: 14 * GB, disk_available: 13.1 * GB, disk_written: 1.9 * GB, disk_written_hour: 0.0257 * GB, temperature_c: 47.5, restarts: 0,
        }
      case 'slots':
        return this.slots()
      case 'remote_menu':
        return this.remoteMenu()
      case 'set_remote_menu': {
        const wrong = asked.settings!.keys.findIndex((key) => !key.startsWith('ssh-'))
        if (wrong >= 0) return { reply: 'refused', field: `keys[${wrong}]`, text: 'this is no public key' }
        this.remote = asked.settings!
        return this.remoteMenu()
      }
      case 'kernel_log': {
        const rows = this.kernel.map((text, number) => ({ number, at: Date.UTC(2026, 10, 22, 7, 35, number) * 1000, level: 6, text }))
        return { reply: 'kernel_log', rows: rows.filter(({ number }) => number > (asked.after ?? -1)) }
      }
      case 'upgrade': {
        // Whoever takes a file takes it out of its folder.
        const path = join(this.data, 'upload', asked.file!)
        if (!existsSync(path)) return { reply: 'refused', field: 'file', text: 'there is no such file' }
        rmSync(path)
        this.upgrade = this.taken
        return this.slots()
      }
      default:
        return { reply: 'done' }
    }
  }

  private remoteMenu(): object {
    return { reply: 'remote_menu', settings: this.remote, fingerprint: this.remote.enabled ? 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' : null }
  }

  private slots(): object {
    const { running, version, otherVersion, upgrade } = this
    return { reply: 'slots', running, version, confirmed: running, other_version: otherVersion, upgrade }
  }

  private clock(): object {
    const now = Date.now() * 1000
    return { reply: 'time', settings: this.time, now, synchronised: this.synchronised ? now - 312_000_000 : null, offset_ms: this.synchronised ? -3 : null }
  }

  private network(): object {
    const interfaces = this.settings.interfaces.map(({ name, addressing }, index) => ({
      name,
      mac: `02:00:00:00:00:0${index + 1}`,
      carrier: index === 0,
      addresses: addressing.addressing === 'static' ? [addressing.address] : [],
      lease_until: null,
    }))
    const { settings, left } = this
    return { reply: 'network', settings, interfaces, gateway: settings.gateway, dns: settings.dns, confirm_within_s: left }
  }

  /** Files that wait to be taken. */
  uploads(): number {
    const folder = join(this.data, 'upload')
    return existsSync(folder) ? readdirSync(folder).length : 0
  }
}
