// Real phones call each other, and the pages tell: first steps, the call while it lasts, the history.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, launch, logIn, visitor } from './box'
import { down } from './places'
import { connect } from './sample'
import { type Talker, TALKERS } from './talker'

let box: Box
let browser: Browser
const phones: Talker[] = []

beforeAll(async () => {
  box = await Box.start()
  browser = await launch()
  await box.firstVisit()
  await box.logIn()
  for (const number of ['101', '102']) await box.api('POST', '/extensions', { number })
})

afterAll(async () => {
  for (const phone of phones) await phone.stop()
  await browser?.close()
  await box?.stop()
})

/** Waits until enough of the call there is was measured. */
async function heard() {
  type Legs = { calls: { legs: { quality: { mos_hundredths: number | null } | null }[] }[] }
  const measured = async () => {
    const { calls } = await box.api<Legs>('GET', '/calls')
    return calls.flatMap(({ legs }) => legs).filter(({ quality }) => quality?.mos_hundredths).length
  }
  await expect.poll(measured, { timeout: 30_000 }).toBe(2)
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

describe.skipIf(!TALKERS)('two phones', () => {
  it('connect while the first steps stay', async () => {
    const { page } = await visitor(browser, box)
    await logIn(page)
    await page.getByRole('heading', { name: 'First steps' }).waitFor()
    expect(await page.getByText('extensions have no phone').count()).toBe(0)
    for (const [index, number] of ['101', '102'].entries()) phones.push(await connect(box, number, 41 + index))
    await page.getByRole('link', { name: 'Registered 2 of 2 extensions' }).waitFor()
    expect(await page.getByRole('heading', { name: 'First steps' }).count()).toBe(1)
    await page.close()
  })

  it('are seen while they talk, are cut off, and are found in the history', async () => {
    const [one, other] = phones as [Talker, Talker]
    const { page, errors } = await visitor(browser, box)
    await logIn(page)
    await page.getByRole('link', { name: 'Calls', exact: true }).click()
    await page.getByText('Nobody is calling now').waitFor()

    const dialled = await one.dial('102')
    const row = page.locator('tr[data-index="0"]')
    await row.getByText('Ringing').waitFor()
    await other.does('answer', { call: await other.rings() })
    await row.getByText('Talking').waitFor()
    await row.getByText('Good').waitFor()
    await row.click()
    const dialog = page.getByRole('dialog', { name: '101 calls 102' })
    await dialog.getByRole('region', { name: 'Caller' }).getByText('Good').waitFor()
    await dialog.getByRole('region', { name: 'Called' }).getByText('G.711 A-law').waitFor()

    await button(page, 'Hang up').click()
    await button(page, 'Let them talk').click()
    await button(page, 'Hang up').click()
    await page.getByRole('dialog', { name: 'End this call?' }).getByRole('button', { name: 'Hang up' }).click()
    await one.hears('ended', dialled)
    await page.getByRole('dialog', { name: 'The call is ended' }).getByText('You ended it.').waitFor()
    await button(page, 'Show it in the history').click()
    const over = page.getByRole('dialog', { name: '101 calls 102' })
    await over.getByText('the administrator Admin ended the call').waitFor()
    expect(await over.getByText('G.711 A-law').count()).toBe(2)
    await page.keyboard.press('Escape')

    await page.getByRole('combobox', { name: 'Result' }).click()
    await page.getByRole('option', { name: 'Busy' }).click()
    await page.getByText('No calls match these filters.').waitFor()
    await page.goto('/admin/call-history?number=10&result=answered')
    await page.locator('tr[data-index="0"]').waitFor()
    expect(await page.locator('tr[data-index]').count()).toBe(1)
    const file = page.waitForEvent('download')
    await page.getByRole('link', { name: 'CSV' }).click()
    expect((await file).suggestedFilename()).toBe('call-history.csv')

    // The first steps are done.
    await page.goto('/admin/')
    await page.getByRole('link', { name: 'Registered 2 of 2 extensions' }).waitFor()
    expect(await page.getByRole('heading', { name: 'First steps' }).count()).toBe(0)

    // How it sounded comes after the call, and into a list that is open.
    await page.goto('/admin/call-history')
    const next = await one.dial('102')
    await other.does('answer', { call: await other.rings() })
    await one.hears('established', next)
    await heard()
    await one.does('hangup', { call: next })
    const rows = page.locator('tr[data-index]')
    await rows.nth(1).waitFor()
    await rows.first().getByText('Good').waitFor()
    expect(await rows.count()).toBe(2)

    await button(page, 'Remove old…').click()
    await page.getByText('0 calls are removed').waitFor()
    await page.getByRole('combobox', { name: 'Which calls' }).click()
    await page.getByRole('option', { name: 'All' }).click()
    await page.getByText('2 calls are removed').waitFor()
    await button(page, 'Remove').click()
    await page.getByText('The old calls are removed.').waitFor()
    expect(errors).toEqual([])
    await page.close()
  })

  it('are known in a call that was cut off by a crash, and the Warning log tells of it', async () => {
    const [one, other] = phones as [Talker, Talker]
    const { page, errors } = await visitor(browser, box)
    await logIn(page)
    const dialled = await one.dial('102')
    await other.does('answer', { call: await other.rings() })
    await one.hears('established', dialled)
    await page.goto('/admin/calls')
    await page.locator('tr[data-index="0"]').getByText('Talking').waitFor()
    process.kill(box.pid('pbxd'), 'SIGKILL')
    await page.goto('/admin/call-history?result=interrupted')
    await page.locator('tr[data-index="0"]').click()
    const dialog = page.getByRole('dialog', { name: '101 calls 102' })
    await dialog.getByText('The exchange was stopped or restarted during the call.').waitFor()
    expect(await dialog.getByText('pjsua2').count()).toBe(2)
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Warning' }).click()
    await page.getByText('The connection to the exchange is lost').waitFor()
    await page.getByText('calls were cut by the restart').waitFor()
    expect(errors).toEqual([])
    await page.close()
  })
})

it('with the exchange down nobody reads that nobody is calling', async () => {
  const { page, errors } = await visitor(browser, box)
  await logIn(page)
  await page.goto('/admin/calls')
  await down(page)
  await page.getByRole('heading', { name: 'The exchange is not running' }).waitFor()
  expect(await page.getByText('Nobody is calling').count()).toBe(0)
  expect(errors).toEqual([])
  await page.close()
})
