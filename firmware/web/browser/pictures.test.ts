// The pictures of the documentation, made anew by `npm run pictures`: three each of a box that nobody has set
// up, of an office of fifty, and of a call while it lasts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, launch, logIn, ROOT, visitor } from './box'
import { goTo, PLACES, type Place } from './places'
import { type Office, office } from './sample'
import { TALKERS } from './talker'

const OUT = join(ROOT, 'docs/pictures')
/** A page with all of them is still read over a slow line. */
const MOST = 120_000
/** Names of pictures, and what is on them. */
const EMPTY: Record<string, Place> = {
  empty: { name: 'empty', path: '/dashboard' },
  'empty-user': { name: 'empty-user', path: '/users/new' },
  'empty-calls': { name: 'empty-calls', path: '/calls' },
}
const OFFICE = { office: 'extensions', 'office-users': 'users', 'office-dial-plan': 'dial-plan' }
const CALL = { call: 'call', 'call-list': 'calls', 'call-over': 'call-history-call' }

const at = (places: Record<string, string>): Record<string, Place> =>
  Object.fromEntries(Object.entries(places).map(([name, where]) => [name, PLACES.find((place) => place.name === where)!]))

let box: Box
let browser: Browser
let people: Office | undefined

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true })
  box = await Box.start()
  browser = await launch()
  await box.firstVisit()
  await box.logIn()
})

afterAll(async () => {
  await people?.close()
  await browser?.close()
  await box?.stop()
})

/** The same picture in fewer octets: the browser packs for speed (PNG §10). */
function packed(png: Buffer): Buffer {
  const parts: Buffer[] = []
  const data: Buffer[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const kind = png.toString('latin1', at + 4, at + 8)
    if (kind === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length))
    else {
      if (kind === 'IEND') parts.push(chunk('IDAT', deflateSync(inflateSync(Buffer.concat(data)), { level: 9, memLevel: 9 })))
      parts.push(png.subarray(at, at + 12 + length))
    }
    at += 12 + length
  }
  return Buffer.concat([png.subarray(0, 8), ...parts])
}

function chunk(kind: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

async function pictures(places: Record<string, Place>) {
  for (const language of ['en', 'cs'] as const) {
    const { context, page } = await visitor(browser, box, { language, height: 720 })
    await context.addInitScript((language) => localStorage.setItem('language', language), language)
    await logIn(page)
    for (const [name, place] of Object.entries(places)) {
      await goTo(page, place)
      const file = packed(await page.screenshot())
      expect(file.length).toBeLessThan(MOST)
      writeFileSync(join(OUT, `${name}.${language}.png`), file)
    }
    await context.close()
  }
}

describe.skipIf(!process.env.PICTURES)('pictures of', () => {
  it('an empty box', () => pictures(EMPTY))

  it('an office of fifty', async () => {
    expect(TALKERS, 'tests/interop/install gets the phones').toBe(true)
    people = await office(box)
    await pictures(at(OFFICE))
  })

  it('a call', () => pictures(at(CALL)))
})
