// What the pages say where the box does not do what it should.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box, launch, logIn, visitor } from './box'

let box: Box
let browser: Browser

beforeAll(async () => {
  box = await Box.start()
  await box.firstVisit()
  await box.logIn()
  await box.api('POST', '/extensions', { number: '101', description: 'Reception' })
  browser = await launch()
})

afterAll(async () => {
  await browser?.close()
  await box?.stop()
})

async function open(path: string, before?: (page: Page) => Promise<unknown>): Promise<Page> {
  const { page, errors } = await visitor(browser, box)
  await logIn(page)
  await before?.(page)
  await page.goto(`/admin${path}`)
  page.on('close', () => expect(errors).toEqual([]))
  return page
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const broken = { status: 500, contentType: 'application/problem+json', body: JSON.stringify({ code: 'internal', detail: 'Broken.', errors: [], status: 500, type: 'x', title: 'x' }) }

it('what was saved and is not in force is told on every page', async () => {
  // An exchange that refuses what is saved goes on with what it has.
  const page = await open('/users', (page) =>
    page.route('**/api/v1/status', async (route) => {
      const answer = await route.fetch()
      const status = (await answer.json()) as { config_version: number; exchange: { config_version: number } }
      status.exchange.config_version = status.config_version - 1
      await route.fulfill({ response: answer, json: status })
    }),
  )
  const told = page.getByText('The last change is saved but not in force')
  await told.waitFor()
  // The next change is taken.
  await box.api('POST', '/users', { name: 'jana' })
  await told.waitFor({ state: 'hidden' })
  await page.close()
})

it('nothing is removed while nobody knows what depends on it', async () => {
  let fails = true
  const page = await open('/extensions', (page) =>
    page.route('**/dependents', (route) => (fails ? route.fulfill(broken) : route.continue())),
  )
  await page.getByRole('button', { name: /^Remove .*101/ }).click()
  await page.getByText('It is not known what depends on it.').waitFor()
  expect(await button(page, 'Remove').isDisabled()).toBe(true)
  fails = false
  await button(page, 'Try again').click()
  await page.getByText('It is not known what depends on it.').waitFor({ state: 'hidden' })
  await button(page, 'Remove').click({ trial: true })
  await button(page, 'Cancel').click()
  await page.close()
})

it("the start page is there though the history can't be read", async () => {
  const page = await open('/dashboard', (page) => page.route('**/api/v1/call-history?*', (route) => route.fulfill(broken)))
  await page.getByRole('alert').getByText('Something failed in the box').waitFor()
  await page.getByText('Needs attention').waitFor()
  await page.close()
})

it('a file on its way is not lost by a click beside', async () => {
  const page = await open('/system/upgrade', async (page) => {
    await page.route('**/api/v1/system/slots', (route) =>
      route.fulfill({ json: { running: 'A', version: '1.0.0', confirmed: 'A', other_version: null, upgrade: { state: 'none', version: null, per_cent: null, at: null, fault: null, reason: null } } }),
    )
    await page.route('**/api/v1/system/upgrade', () => new Promise(() => undefined))
  })
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: /^Choose/ }).click()
  await (await chooser).setFiles({ name: 'update.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1000) })
  await page.getByText('The file is sent to the box').first().waitFor()
  await page.getByRole('link', { name: 'Users' }).click()
  await button(page, 'Stay until it is sent').click()
  expect(new URL(page.url()).pathname).toBe('/admin/system/upgrade')
  await page.getByText('The file is sent to the box').first().waitFor()
  await page.getByRole('link', { name: 'Users' }).click()
  await button(page, 'Leave and stop').click()
  await page.getByRole('heading', { name: 'Users' }).waitFor()
  await page.close()
})

it('of many numbers and choices none is cut off silently', async () => {
  for (let number = 200; number < 260; number++) await box.api('POST', '/extensions', { number: String(number) })
  const numbers = Array.from({ length: 120 }, (_, index) => ({ number: String(5550000 + index), extension: null }))
  const { id } = await box.api<{ id: number }>('POST', '/interfaces', { name: 'provider', partner: 'provider', server: { host: '127.0.0.1', port: 5099 }, prefix: '0', numbers })
  const page = await open(`/call-routing/interface-${id}`)
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('tab', { name: 'External numbers' }).click()
  await dialog.getByText('120 of 120.').waitFor()
  await dialog.getByLabel('External number 5550000', { exact: true }).waitFor()
  expect(await dialog.getByLabel('External number 5550119', { exact: true }).count()).toBe(0)
  await button(page, 'Last page').click()
  await dialog.getByLabel('External number 5550119', { exact: true }).waitFor()
  // What is added is in sight, and has the keyboard.
  await button(page, 'Add a number').click()
  await page.keyboard.type('5559999')
  await dialog.getByLabel('External number 5559999', { exact: true }).waitFor()
  await dialog.getByLabel('5559999 rings', { exact: true }).click()
  await page.getByText('11 more: type to search').filter({ visible: true }).waitFor()
  await page.close()
})
