// Real phones call each other, and the pages tell: first steps, the call while it lasts, the history.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, launch, logIn, visitor } from './box'
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

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

describe.skipIf(!TALKERS)('two phones', () => {
  it('end the first steps by connecting', async () => {
    const { page } = await visitor(browser, box)
    await logIn(page)
    await page.getByRole('heading', { name: 'First steps' }).waitFor()
    expect(await page.getByText('extensions have no phone').count()).toBe(0)
    for (const [index, number] of ['101', '102'].entries()) phones.push(await connect(box, number, 41 + index))
    await page.getByRole('link', { name: 'Registered 2 of 2 extensions' }).waitFor()
    expect(await page.getByRole('heading', { name: 'First steps' }).count()).toBe(0)
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
    await button(page, 'Show it in the history').click()
    const over = page.getByRole('dialog', { name: '101 calls 102' })
    await over.getByText('the exchange ended the call').waitFor()
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

    await button(page, 'Remove old…').click()
    await page.getByText('0 calls are removed').waitFor()
    await page.getByRole('combobox', { name: 'Which calls' }).click()
    await page.getByRole('option', { name: 'All' }).click()
    await page.getByText('1 call is removed').waitFor()
    await button(page, 'Remove').click()
    await page.getByText('The old calls are removed.').waitFor()
    expect(errors).toEqual([])
    await page.close()
  })
})
