// Working by the keyboard alone, and by a finger: where the keyboard is after dialogs, keys on other layouts, a
// narrow window.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box, launch, logIn, visitor, type Look } from './box'

let box: Box
let browser: Browser

beforeAll(async () => {
  box = await Box.start()
  await box.firstVisit()
  await box.logIn()
  for (const number of ['101', '102', '103']) await box.api('POST', '/extensions', { number, description: `Room ${number}` })
  browser = await launch()
})

afterAll(async () => {
  await browser?.close()
  await box?.stop()
})

async function open(path: string, look?: Look): Promise<Page> {
  const { page, errors } = await visitor(browser, box, look)
  await logIn(page)
  await page.goto(`/admin${path}`)
  page.on('close', () => expect(errors).toEqual([]))
  return page
}

const dialog = (page: Page) => page.getByRole('dialog')
const row = (page: Page, text: string) => page.locator('tr[data-index]', { hasText: text })
const search = (page: Page) => page.getByRole('searchbox')
/** What has the keyboard. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const at = document.activeElement
    return at?.getAttribute('aria-label') ?? at?.textContent ?? ''
  })
const sees = async (page: Page, what: string) => {
  await page.waitForFunction((what) => {
    const at = document.activeElement
    return at !== document.body && (at?.getAttribute('aria-label') ?? at?.textContent ?? '').includes(what)
  }, what)
}
/** A key as a keyboard sends it on which the sign is elsewhere. */
const sign = (page: Page, key: string, code: string, shiftKey: boolean) =>
  page.evaluate(
    ([key, code, shiftKey]) => void document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, code, shiftKey, bubbles: true, cancelable: true })),
    [key, code, shiftKey] as const,
  )

it('the keyboard goes back to what opened a dialog, or to what is next where that is gone', async () => {
  const page = await open('/extensions')
  await row(page, '101').focus()
  await page.keyboard.press('Enter')
  await dialog(page).waitFor()
  await page.keyboard.press('Escape')
  await dialog(page).waitFor({ state: 'hidden' })
  await sees(page, 'Room 101')

  await page.keyboard.press('Delete')
  await dialog(page).getByText('Cancel').waitFor()
  await page.keyboard.press('Escape')
  await dialog(page).waitFor({ state: 'hidden' })
  await sees(page, 'Room 101')

  // A dialog upon a dialog: back into the first, then to the row.
  await page.keyboard.press('Enter')
  await dialog(page).getByLabel('Description').fill('Attic')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor({ state: 'hidden' })
  expect(await dialog(page).evaluate((shown) => shown.contains(document.activeElement))).toBe(true)
  await page.keyboard.press('Enter')
  await dialog(page).waitFor({ state: 'hidden' })
  await sees(page, 'Attic')

  // Its row is gone: the next has the keyboard, and after the last what adds.
  for (const left of [2, 1]) {
    await page.keyboard.press('Delete')
    await dialog(page).getByText('Cancel').waitFor()
    await dialog(page).getByRole('button', { name: /^Remove/ }).focus()
    await page.keyboard.press('Enter')
    await dialog(page).waitFor({ state: 'hidden' })
    await expect.poll(() => page.locator('tr[data-index]').count()).toBe(left)
    await page.waitForFunction(() => document.activeElement?.matches('tr[data-index], input[type="search"]'))
    if (await search(page).evaluate((field) => field === document.activeElement)) await page.locator('tr[data-index]').first().focus()
  }
  await page.keyboard.press('Delete')
  await dialog(page).getByText('Cancel').waitFor()
  await dialog(page).getByRole('button', { name: /^Remove/ }).focus()
  await page.keyboard.press('Enter')
  await sees(page, 'Add extension')
  await page.keyboard.press('Enter')
  await dialog(page).getByLabel('Number', { exact: true }).fill('101')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'I have noted it down' }).press('Enter')
  await row(page, '101').waitFor()
  await page.waitForFunction(() => document.activeElement?.matches('input[type="search"]'))

  await page.getByRole('button', { name: 'Help', exact: true }).press('Enter')
  await dialog(page).waitFor()
  await page.keyboard.press('Escape')
  await dialog(page).waitFor({ state: 'hidden' })
  await sees(page, 'Help')
  await page.close()
})

it('keys do the same on every keyboard, and write where somebody writes', async () => {
  const page = await open('/extensions')
  await row(page, '101').focus()
  // On a Czech keyboard: Shift and the key of [.
  await sign(page, '/', 'BracketLeft', true)
  expect(await search(page).evaluate((field) => field === document.activeElement)).toBe(true)
  await page.keyboard.press('?')
  await page.keyboard.press('/')
  expect([await search(page).inputValue(), await dialog(page).count()]).toEqual(['?/', 0])
  await page.keyboard.press('Escape')
  await row(page, '101').focus()
  // Shift and the key of , there.
  await sign(page, '?', 'Comma', true)
  await dialog(page).getByText('Help').first().waitFor()
  await page.keyboard.press('Escape')
  await dialog(page).waitFor({ state: 'hidden' })
  await sees(page, '101')

  // In a dialog it is the dialog's help, and the list stays where it is.
  await page.keyboard.press('Enter')
  await dialog(page).getByRole('tab').first().focus()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Help' }).getByRole('heading', { name: 'An extension' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  expect(await search(page).evaluate((field) => field === document.activeElement)).toBe(false)
  await page.close()
})

it('what is done with a row is reached in a window of a phone, and on one that is just too narrow', async () => {
  const page = await open('/extensions', { width: 390, height: 844 })
  await row(page, '101').getByRole('button', { name: 'What to do with it' }).click()
  await page.getByRole('menuitem', { name: /^Remove/ }).click()
  await dialog(page).getByText('Cancel').click()
  await dialog(page).waitFor({ state: 'hidden' })
  await sees(page, 'What to do with it')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  await page.setViewportSize({ width: 800, height: 700 })
  const action = row(page, '101').getByRole('button', { name: /^Remove/ })
  await action.waitFor()
  const { x, width } = (await action.boundingBox())!
  expect(x + width).toBeLessThanOrEqual(800)
  await action.click()
  await dialog(page).getByText('Cancel').waitFor()
  expect(await focused(page)).toBe('Cancel')
  await page.close()
})
