// A real phone (pjsua2, as in tests/interop): it registers, calls, is called, and plays a tone.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Box, ROOT } from './box'

const PYTHON = join(process.env.INTEROP_DIR ?? join(ROOT, 'target/interop'), 'venv/bin/python')
const PROGRAM = join(ROOT, 'tests/interop/peers/pjsua_phone.py')
const LATE_MS = 60_000

interface Message {
  n?: number
  ok?: { call?: string }
  error?: string
  event?: string
  call?: string
}

/** Where there are none, `tests/interop/install` gets them. */
export const TALKERS = existsSync(PYTHON)

export class Talker {
  private asked = 0
  private readonly heard: Message[] = []
  private readonly waiting = new Set<() => void>()

  private constructor(
    private readonly box: Box,
    private readonly phone: ChildProcess,
    private readonly folder: string,
  ) {
    createInterface({ input: phone.stdout! }).on('line', (line) => {
      // The library has a word of its own at first.
      if (!line.startsWith('{')) return
      this.heard.push(JSON.parse(line) as Message)
      for (const look of this.waiting) look()
    })
  }

  /** `host` is the last byte of its address on loopback: every phone has its own, and so has every box. */
  static async start(box: Box, host: number, number: string, password: string): Promise<Talker> {
    const folder = mkdtempSync(join(tmpdir(), 'phone-'))
    const tone = join(folder, 'tone.wav')
    writeFileSync(tone, wav(440))
    const server = `sip:127.0.0.1:${box.sipPort}`
    const talker = new Talker(box, spawn(PYTHON, [PROGRAM], { stdio: ['pipe', 'pipe', 'ignore'] }), folder)
    talker.write({
      name: number, agent: 'pjsua2', address: `127.${box.sipPort >> 8}.${box.sipPort & 255}.${host}`, transport: 'udp', codecs: ['PCMA/8000/1', 'PCMU/8000/1'], srtp: 'off', tone,
      log: join(folder, 'phone.log'), uri: `sip:${number}@127.0.0.1:${box.sipPort}`, registrar: server, user: number, password, expires: 300,
    })
    await talker.hears('ready')
    // The exchange learns of a new password a moment after the box has answered.
    for (let tries = 0; ; tries++) {
      await talker.does('register')
      const { event } = await talker.next('registered', ({ event }) => event === 'registered' || event === 'register_failed')
      if (event === 'registered') return talker
      if (tries === 20) throw new Error(`phone ${number} is refused`)
      await new Promise((done) => setTimeout(done, 250))
    }
  }

  /** Dials and returns the call. */
  async dial(number: string): Promise<string> {
    const { call } = await this.does('dial', { to: `sip:${number}@127.0.0.1:${this.box.sipPort}` })
    return call!
  }

  /** The next call that comes in. */
  async rings(): Promise<string> {
    const { call } = await this.hears('incoming')
    return call!
  }

  does(op: string, more: object = {}): Promise<{ call?: string }> {
    const n = ++this.asked
    this.write({ n, op, ...more })
    return this.next(op, (message) => message.n === n).then(({ ok, error }) => {
      if (error !== undefined) throw new Error(`${op}: ${error}`)
      return ok ?? {}
    })
  }

  /** Waits for an event, of one call or any, and takes it. */
  hears(event: string, call?: string): Promise<Message> {
    return this.next(event, (message) => message.event === event && (call === undefined || message.call === call))
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.phone.once('exit', done))
    this.phone.stdin!.end()
    if (this.phone.exitCode === null) await ended
    rmSync(this.folder, { recursive: true, force: true })
  }

  private write(message: object) {
    this.phone.stdin!.write(`${JSON.stringify(message)}\n`)
  }

  private next(what: string, is: (message: Message) => boolean): Promise<Message> {
    return new Promise((done, fail) => {
      const look = () => {
        const index = this.heard.findIndex(is)
        if (index < 0) return
        clearTimeout(late)
        this.waiting.delete(look)
        done(this.heard.splice(index, 1)[0]!)
      }
      const late = setTimeout(() => {
        this.waiting.delete(look)
        fail(new Error(`the phone is late with ${what}; it said ${JSON.stringify(this.heard)}`))
      }, LATE_MS)
      this.waiting.add(look)
      look()
    })
  }
}

/** Two seconds of a tone: 8000 samples a second, 16 bits, one channel. */
function wav(hertz: number): Buffer {
  const samples = 16_000
  const file = Buffer.alloc(44 + samples * 2)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + samples * 2, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(8000, 24)
  file.writeUInt32LE(16_000, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  file.writeUInt32LE(samples * 2, 40)
  for (let index = 0; index < samples; index++) {
    file.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hertz * index) / 8000)), 44 + index * 2)
  }
  return file
}
