// The least of a SIP phone: it registers by digest (RFC 3261 §10, RFC 7616), so that pages have
// something to show. Calls are for real phones.
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Box } from './box'

const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')

export class Phone {
  private line?: Line
  private sequence = 1
  private readonly callId = randomBytes(8).toString('hex')

  constructor(
    private readonly box: Box,
    private readonly user: string,
    private readonly password: string,
    private readonly agent = 'Snom 320',
    private readonly transport: keyof typeof LINES = 'udp',
  ) {}

  async register(expires = 300): Promise<void> {
    const challenge = await this.send(expires, '')
    const header = /^WWW-Authenticate: *Digest (.*)$/im.exec(challenge)?.[1] ?? ''
    const part = (name: string) => new RegExp(`${name}="?([^",]*)"?`, 'i').exec(header)?.[1] ?? ''
    const algorithm = /sha-256/i.test(part('algorithm')) ? 'sha256' : 'md5'
    const uri = `sip:127.0.0.1:${this.box.sipPort}`
    const [nonce, realm, cnonce] = [part('nonce'), part('realm'), randomBytes(6).toString('hex')]
    const secret = hex(algorithm, `${this.user}:${realm}:${this.password}`)
    const response = hex(algorithm, `${secret}:${nonce}:00000001:${cnonce}:auth:${hex(algorithm, `REGISTER:${uri}`)}`)
    const opaque = part('opaque')
    const answer = await this.send(
      expires,
      `Authorization: Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
        `response="${response}", algorithm=${part('algorithm') || 'MD5'}, qop=auth, nc=00000001, cnonce="${cnonce}"` +
        `${opaque ? `, opaque="${opaque}"` : ''}\r\n`,
    )
    if (!answer.startsWith('SIP/2.0 200')) throw new Error(`the phone is refused: ${answer}`)
  }

  /** The exchange learns of a new password a moment after the box has answered. */
  async registerSoon(expires?: number): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.register(expires)
      } catch (error) {
        if (tries === 20) throw error
        await new Promise((done) => setTimeout(done, 250))
      }
    }
  }

  /** Its connection ends without a word, and so does the phone. */
  close() {
    this.line?.close()
    this.line = undefined
  }

  private async send(expires: number, authorization: string): Promise<string> {
    this.line ??= await LINES[this.transport](this.box.sipPort)
    const { host, port } = this.line
    const server = `127.0.0.1:${this.box.sipPort}`
    const text =
      `REGISTER sip:${server} SIP/2.0\r\n` +
      `Via: SIP/2.0/${this.transport.toUpperCase()} 127.0.0.1:${port};branch=z9hG4bK${randomBytes(8).toString('hex')};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${this.user}@${server}>;tag=${randomBytes(4).toString('hex')}\r\n` +
      `To: <sip:${this.user}@${server}>\r\nCall-ID: ${this.callId}\r\nCSeq: ${this.sequence++} REGISTER\r\n` +
      `Contact: <sip:${this.user}@${host}:${port}>\r\nExpires: ${expires}\r\nUser-Agent: ${this.agent}\r\n` +
      `${authorization}Content-Length: 0\r\n\r\n`
    return this.line.ask(text)
  }
}

/** How a phone speaks with the exchange. */
interface Line {
  /** Where it says that it listens. */
  host: string
  port: number
  ask: (text: string) => Promise<string>
  close: () => void
}

function answer(listen: (done: (text: Buffer) => void) => void, send: () => void): Promise<string> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error('no answer to REGISTER')), 5_000)
    listen((text) => {
      clearTimeout(late)
      done(text.toString())
    })
    send()
  })
}

const LINES = {
  udp: async (server: number): Promise<Line> => {
    const socket = createSocket('udp4')
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
    return {
      host: '127.0.0.1',
      port: socket.address().port,
      ask: (text) => answer((done) => socket.once('message', done), () => socket.send(text, server, '127.0.0.1')),
      close: () => socket.close(),
    }
  },
  /** As from behind a router: nobody can open a connection to it. */
  tcp: async (server: number): Promise<Line> => {
    const socket = connect(server, '127.0.0.1')
    await new Promise<void>((done) => socket.once('connect', done))
    return {
      host: '192.0.2.9',
      port: 5060,
      ask: (text) => answer((done) => socket.once('data', done), () => socket.write(text)),
      close: () => socket.destroy(),
    }
  },
}
