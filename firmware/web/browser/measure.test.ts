// What pages cost, counted by `npm run measure`: an open page on which nothing happens, and a list of
// 5,000. The numbers stand in docs/SPECIFICATION.md.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, launch, logIn, visitor } from './box'

const MANY = 5_000
/** Asked for together: the box has two cores. */
const TOGETHER = 8
/** Longer than any page waits before it asks again. */
const IDLE_MINUTES = 2

let box: Box
let browser: Browser

beforeAll(async () => {
  box = await Box.start()
  browser = await launch()
  await box.firstVisit()
  await box.logIn()
})

afterAll(async () => {
  await browser?.close()
  await box?.stop()
})

interface Traffic {
  requests: number
  octets: number
}

/** Counts what goes over the line from now on, but for the pages themselves. */
async function traffic(page: Page): Promise<Traffic> {
  const line = await page.context().newCDPSession(page)
  const counted = { requests: 0, octets: 0 }
  await line.send('Network.enable')
  const pages = new Set<string>()
  line.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (new URL(request.url).pathname.startsWith('/api/')) counted.requests++
    else pages.add(requestId)
  })
  line.on('Network.dataReceived', ({ requestId, dataLength, encodedDataLength }) => {
    if (!pages.has(requestId)) counted.octets += encodedDataLength || dataLength
  })
  return counted
}

/** Turns of the page's one thread that lasted longer than somebody notices (50 ms). */
async function longTurns(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const counted = { long: 0 }
    new PerformanceObserver((list) => (counted.long += list.getEntries().length)).observe({ type: 'longtask' })
    Object.assign(window, { counted })
  })
  return () => page.evaluate(() => (window as unknown as { counted: { long: number } }).counted.long)
}

describe.skipIf(!process.env.MEASURE)('what it costs', () => {
  it.each(['dashboard', 'calls', 'extensions', 'config-log', 'health'])(
    'to leave %s open',
    async (name) => {
      const { page } = await visitor(browser, box)
      await logIn(page)
      await page.goto(`/admin/${name}`)
      await page.waitForLoadState('networkidle').catch(() => undefined)
      const counted = await traffic(page)
      await new Promise((done) => setTimeout(done, IDLE_MINUTES * 60_000))
      const { requests, octets } = counted
      console.log(`${name}: ${requests / IDLE_MINUTES} requests and ${Math.round(octets / IDLE_MINUTES)} octets a minute`)
      await page.close()
    },
    IDLE_MINUTES * 60_000 + 60_000,
  )

  it(
    'to have 5,000 extensions',
    async () => {
      const numbers = Array.from({ length: MANY }, (_, index) => String(10_000 + index))
      for (let at = 0; at < MANY; at += TOGETHER) {
        const some = numbers.slice(at, at + TOGETHER)
        await Promise.all(some.map((number) => box.api('POST', '/extensions', { number, description: `Room ${number}` })))
      }
      const { page } = await visitor(browser, box)
      await logIn(page)
      const counted = await traffic(page)
      await page.goto('/admin/extensions')
      await page.getByText(`${MANY} extensions`).waitFor()
      console.log(`the list: ${counted.requests} requests, ${counted.octets} octets`)
      const rows = page.locator('tr[data-index]')
      const nodes = () => page.evaluate(() => document.querySelectorAll('*').length)
      console.log(`drawn: ${await rows.count()} rows, ${await nodes()} elements in all`)

      const long = await longTurns(page)
      let most = 0
      await page.mouse.move(600, 500)
      for (let turn = 0; turn < 100; turn++) {
        await page.mouse.wheel(0, 1_000)
        most = Math.max(most, await rows.count())
      }
      await page.locator('tr[data-index="2500"]').waitFor()
      console.log(`scrolled by 2,500 rows: ${most} rows at most, ${await long()} long turns`)
      const scrolled = await long()
      for (const column of ['Description', 'User', 'Number']) await page.getByRole('button', { name: column, exact: true }).click()
      console.log(`sorted three times: ${(await long()) - scrolled} long turns`)
      const sorted = await long()
      await page.getByRole('searchbox').pressSequentially('room 14321')
      await page.getByText(`1 of ${MANY} extensions`).waitFor()
      console.log(`searched by ten keys: ${(await long()) - sorted} long turns`)
      expect(await rows.count()).toBe(1)

      const again = Date.now()
      await page.reload()
      await page.getByText(`${MANY} extensions`).waitFor()
      await rows.first().waitFor()
      console.log(`opened anew and drawn: ${Date.now() - again} ms`)
      await page.close()
    },
    600_000,
  )
})
