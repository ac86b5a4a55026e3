// The least of a SIP phone: it registers by digest (RFC 3261 §10, RFC 7616), so that pages have
// something to show. Calls are for real phones.
import { createHash, randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type { Box } from './box'

const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')

export class Phone {
  private socket: Socket = createSocket('udp4')
  private sequence = 1
  private readonly callId = randomBytes(8).toString('hex')

  constructor(
    private readonly box: Box,
    private readonly user: string,
    private readonly password: string,
    private readonly agent = 'Snom 320',
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

  close() {
    this.socket.close()
  }

  private async send(expires: number, authorization: string): Promise<string> {
    if (this.sequence === 1) await new Promise<void>((done) => this.socket.bind(0, '127.0.0.1', done))
    const { port } = this.socket.address()
    const server = `127.0.0.1:${this.box.sipPort}`
    const text =
      `REGISTER sip:${server} SIP/2.0\r\n` +
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${randomBytes(8).toString('hex')};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${this.user}@${server}>;tag=${randomBytes(4).toString('hex')}\r\n` +
      `To: <sip:${this.user}@${server}>\r\nCall-ID: ${this.callId}\r\nCSeq: ${this.sequence++} REGISTER\r\n` +
      `Contact: <sip:${this.user}@127.0.0.1:${port}>\r\nExpires: ${expires}\r\nUser-Agent: ${this.agent}\r\n` +
      `${authorization}Content-Length: 0\r\n\r\n`
    return new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error('no answer to REGISTER')), 5_000)
      this.socket.once('message', (answer) => {
        clearTimeout(late)
        done(answer.toString())
      })
      this.socket.send(text, this.box.sipPort, '127.0.0.1')
    })
  }
}
