// The real programs on free ports of loopback, with data of their own, and a browser before them.
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

export const ROOT = resolve(import.meta.dirname, '../../..')
export const OUT = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'browser')
export const PASSWORD = 'correct horse battery staple'
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** Pages that are taken from here, not from webd: they can be tried without building it anew. */
const PAGES = process.env.PAGES
const START_MS = 30_000

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

export class Box {
  private cookie = ''

  private constructor(
    readonly url: string,
    readonly sipPort: number,
    /** The folder with all that it keeps. */
    readonly data: string,
    private readonly supervisor: ChildProcess,
    private readonly log: string[],
  ) {}

  static async start(): Promise<Box> {
    const bin = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug')
    const program = join(bin, 'supervisor')
    if (!existsSync(program)) throw new Error(`${program} is missing: cargo build -p pbxd -p webd -p supervisor`)
    const data = mkdtempSync(join(tmpdir(), 'box-'))
    const https = await freePort()
    const sip = await freeSipPort()
    const log: string[] = []
    const supervisor = spawn(
      program,
      ['run', '--data', data, '--https-port', `${https}`, '--sip-port', `${sip}`, '--sip-address', '127.0.0.1',
        '--rtp-ports', await freeRtpPorts(), '--calls', '20'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    supervisor.stdout.on('data', (text: Buffer) => log.push(text.toString()))
    supervisor.stderr.on('data', (text: Buffer) => log.push(text.toString()))
    const box = new Box(`https://127.0.0.1:${https}`, sip, data, supervisor, log)
    try {
      await box.answers()
      return box
    } catch (error) {
      await box.stop()
      throw error
    }
  }

  /** Waits until it can be asked. */
  answers(): Promise<void> {
    return this.until('starts', () => this.call('GET', '/api/v1/first-visit').then(({ status }) => status === 200, () => false))
  }

  /** Waits until one of its programs has said something like this. */
  says(text: string): Promise<void> {
    return this.until(`says ${text}`, () => Promise.resolve(this.log.join('').includes(text)))
  }

  private async until(what: string, is: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + START_MS
    while (!(await is())) {
      if (Date.now() > end || this.supervisor.exitCode !== null) throw new Error(`no box ${what}:\n${this.log.join('')}`)
      await new Promise((done) => setTimeout(done, 100))
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.supervisor.once('exit', done))
    if (this.supervisor.exitCode === null) {
      this.supervisor.kill('SIGTERM')
      await ended
    }
    rmSync(this.data, { recursive: true, force: true })
  }

  /** The process id of one of the programs, to end it. */
  pid(name: 'pbxd' | 'webd'): number {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const [, command, , parent] = /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
        if (command === name && parent === String(this.supervisor.pid)) return Number(pid)
      } catch {
        // It ended while it was looked at.
      }
    }
    throw new Error(`${name} does not run`)
  }

  /** Asks the API as whoever logged in by `logIn`. */
  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((done, fail) => {
      const sent = request(
        this.url + path,
        {
          method,
          rejectUnauthorized: false,
          headers: { 'x-requested-with': 'test', ...(body ? { 'content-type': 'application/json' } : {}), cookie: this.cookie, ...headers },
        },
        (answer) => {
          let text = ''
          answer.on('data', (part: Buffer) => (text += part.toString()))
          answer.on('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
        },
      )
      sent.on('error', fail)
      sent.end(body ? JSON.stringify(body) : undefined)
    })
  }

  /** As `call`, and takes nothing but success. */
  async api<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await this.call(method, `/api/v1${path}`, body, headers)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    return (answer.body ? JSON.parse(answer.body) : undefined) as T
  }

  /** Sets the first password without a browser. */
  async firstVisit(): Promise<void> {
    await this.api('POST', '/first-visit', { password: PASSWORD })
  }

  async logIn(name = 'Admin', password = PASSWORD): Promise<void> {
    const answer = await this.call('POST', '/api/v1/session', { name, password })
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.body}`)
    this.cookie = String(answer.headers['set-cookie']).split(';')[0]!
  }
}

export interface Look {
  language?: 'en' | 'cs'
  width?: number
  height?: number
  scheme?: 'light' | 'dark'
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

function builtFile(url: string): string {
  const file = join(PAGES ?? '', new URL(url).pathname.replace('/admin/', ''))
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : join(PAGES ?? '', 'index.html')
}

/** A browser of its own: nothing of another visitor is in it. */
export async function visitor(browser: Browser, box: Box, look: Look = {}): Promise<{ context: BrowserContext; page: Page; errors: string[] }> {
  const { language = 'en', width = 1280, height = 800, scheme = 'light' } = look
  const context = await browser.newContext({
    baseURL: box.url,
    ignoreHTTPSErrors: true,
    locale: language === 'cs' ? 'cs-CZ' : 'en-GB',
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  })
  context.setDefaultTimeout(30_000)
  if (PAGES) await context.route('**/admin/**', (route) => route.fulfill({ path: builtFile(route.request().url()) }))
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    // An answer of 4xx is told as an error too; the page shows it where it belongs.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
  return { context, page, errors }
}

export async function logIn(page: Page, name = 'Admin', password = PASSWORD): Promise<void> {
  await page.goto('/admin/')
  await page.locator('input[autocomplete="username"]').fill(name)
  await page.locator('input[autocomplete="current-password"]').fill(password)
  await page.keyboard.press('Enter')
  await page.locator('header').waitFor()
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })
}

/** A port that is free for UDP and TCP, and for TLS one above. */
async function freeSipPort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = await freePort()
    if (await Promise.all([free(port), free(port + 1), freeUdp(port)]).then((all) => all.every(Boolean))) return port
  }
  throw new Error('no port is free')
}

/** A hundred ports for sound: several boxes may run on one machine. They lie below those that the system deals out. */
async function freeRtpPorts(): Promise<string> {
  for (let tries = 0; tries < 50; tries++) {
    const first = 12_000 + 100 * Math.floor(Math.random() * 200)
    const ports = Array.from({ length: 100 }, (_, index) => first + index)
    if ((await Promise.all(ports.map(freeUdp))).every(Boolean)) return `${first}-${first + 99}`
  }
  throw new Error('no ports are free for sound')
}

function free(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.on('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}

function freeUdp(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createSocket('udp4')
    socket.on('error', () => done(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => done(true)))
  })
}
