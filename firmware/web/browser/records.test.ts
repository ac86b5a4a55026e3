// The dial plan, the logs and the settings, before the real programs.
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box, launch, logIn, visitor } from './box'

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

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function open(path: string): Promise<Page> {
  const { page, errors } = await visitor(browser, box)
  await logIn(page)
  await page.goto(`/admin${path}`)
  page.on('close', () => expect(errors).toEqual([]))
  return page
}

/** What the browser is given to keep, as text. */
async function saved(page: Page, by: Locator): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), by.click()])
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') }
}

const failLogin = (name = 'nobody') => box.call('POST', '/api/v1/session', { name, password: 'not the password' })

it('the dial plan says what to do first, is kept up to date, and goes to a file and to paper', async () => {
  // Emergency numbers are none of the plan where they are dialled with a prefix alone.
  await box.api('PUT', '/emergency-numbers', { numbers: [{ number: '112', description: '' }], direct: false, routes: [] }, { 'If-Match': '*' })
  const page = await open('/dial-plan')
  await page.getByText('No numbers yet').waitFor()
  const { id } = await box.api<{ id: number }>('POST', '/users', {
    name: 'jana', full_name: 'Jana Nováková', language: 'cs', enabled: true, role: 'user', email: null, password: null,
  })
  await box.api('POST', '/extensions', { number: '122', user: id, description: '' })
  await box.api('POST', '/extensions', { number: '50', description: 'Door' })
  const rows = page.locator('tr[data-index]')
  await rows.nth(1).waitFor()
  expect(await rows.allInnerTexts()).toEqual([expect.stringMatching(/^50\s+Extension\s+Door$/), expect.stringMatching(/^122\s+Extension\s+Jana Nováková/)])

  const { name, text } = await saved(page, button(page, 'Save as CSV'))
  expect(name).toMatch(/^dial-plan-\d{4}-\d\d-\d\d\.csv$/)
  expect(text).toBe('\uFEFFExtension Number;Type ID;Description\r\n122;1;Jana Nováková\r\n50;1;Door\r\n')

  // The whole list is there when the browser prints, and nothing else.
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')))
  await page.emulateMedia({ media: 'print' })
  const sheet = page.locator('[data-print-sheet]')
  expect(await sheet.locator('td:first-child').allInnerTexts()).toEqual(['50', '122'])
  expect(await page.locator('header').first().isVisible()).toBe(false)
  await page.emulateMedia({ media: 'screen' })
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')))
  await sheet.waitFor({ state: 'detached' })

  await rows.nth(1).locator('a').click()
  await page.getByRole('dialog', { name: 'Extension 122' }).waitFor()
  await page.close()
})

it('the dial plan has the emergency numbers, which lead to their page', async () => {
  await box.api('PUT', '/emergency-numbers', { numbers: [{ number: '112', description: 'All of them' }], direct: true, routes: [] }, { 'If-Match': '*' })
  const page = await open('/dial-plan')
  const line = page.locator('tr[data-index]', { hasText: 'All of them' })
  await line.waitFor()
  expect(await line.innerText()).toMatch(/^112\s+Emergency number\s+All of them$/)
  const { text } = await saved(page, button(page, 'Save as CSV'))
  expect(text).toContain('\r\n112;2;All of them\r\n')
  await line.locator('a').click()
  await page.waitForURL('**/emergency-numbers')
  await page.close()
})

it('a log is live, pauses, finds and marks, is saved and cleared', async () => {
  const page = await open('/security-log')
  await page.getByText('Nothing has happened').waitFor()
  const rows = page.locator('li')
  await failLogin()
  await rows.nth(0).waitFor()
  // The same again is one series.
  await failLogin()
  await rows.filter({ hasText: '2 times since' }).waitFor()
  expect(await rows.count()).toBe(1)
  await failLogin('Admin')
  await rows.nth(1).waitFor()

  await button(page, 'Pause').click()
  await failLogin()
  await page.getByText('Paused, 1 new row').waitFor()
  expect(await rows.count()).toBe(2)
  await rows.filter({ hasText: '2 times since' }).waitFor()
  await button(page, 'Go on').click()
  await rows.filter({ hasText: '3 times since' }).waitFor()
  expect(await rows.count()).toBe(2)

  await button(page, 'Save').click()
  const html = await saved(page, page.getByRole('menuitem', { name: 'As HTML' }))
  expect(html.name).toMatch(/^security-log-.*\.html$/)
  expect(html.text.match(/^<div>\[\d\d\/\w{3}\/\d{4} .*<\/div>$/gm)).toHaveLength(2)
  await button(page, 'Save').click()
  const { name, text } = await saved(page, page.getByRole('menuitem', { name: 'As text' }))
  expect(name).toMatch(/^security-log-.*\.txt$/)
  expect(text.match(/^\[\d\d\/\w{3}\/\d{4} .*$/gm)).toHaveLength(2)

  const search = page.getByRole('searchbox')
  await search.fill('LOGIN FAILED')
  await page.locator('mark').nth(1).waitFor()
  expect((await page.locator('mark').first().innerText()).toLowerCase()).toBe('login failed')
  await search.fill('no such text')
  await page.getByText('Nothing matches').waitFor()
  await search.fill('')
  await rows.nth(1).waitFor()

  await button(page, 'Clear').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('All rows').check()
  await dialog.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('Nothing has happened').waitFor()

  await page.goto('/admin/config-log')
  await page.getByText('Cleared security log').waitFor()
  await page.close()
})

it('rows stand out as somebody wants it, in this browser', async () => {
  const page = await open('/config-log')
  await page.getByText('session opened').first().waitFor()
  await button(page, 'Highlight rows').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').first().fill('SESSION (opened')
  await dialog.getByLabel('Regular expression').check()
  await dialog.getByText('This is no regular expression.').waitFor()
  await dialog.getByRole('textbox').first().fill('SESSION (opened|closed)')
  await button(page, 'Close').last().click()
  await page.reload()
  await page.locator('li[data-colour="yellow"]').first().waitFor()
  await page.close()
})

it('logs are kept for as long as it is set, and sent on', async () => {
  const server = createSocket('udp4')
  const heard: string[] = []
  server.on('message', (message) => heard.push(message.toString()))
  await new Promise<void>((done) => server.bind(0, '127.0.0.1', done))
  const page = await open('/system')
  await page.getByRole('navigation', { name: 'System' }).getByRole('link', { name: 'Logs' }).click()
  await page.getByRole('combobox', { name: 'Keep rows for' }).click()
  await page.getByRole('option', { name: '30 days' }).click()
  const field = (label: string) => page.getByLabel(label, { exact: true })
  await field('Rows of each log at most').fill('5')
  await field('Server').fill('no server')
  await button(page, 'Save').click()
  await page.getByText('Write a name or an address').waitFor()
  await page.getByText('This value is too low or too high.').waitFor()
  await field('Rows of each log at most').fill('5000')
  await field('Server').fill(`127.0.0.1:${server.address().port}`)
  await button(page, 'Save').click()
  await page.getByText('The settings are saved.').waitFor()
  await failLogin()
  await expect.poll(() => heard.some((row) => row.includes(' operator-box - security - ')), { timeout: 10_000 }).toBe(true)
  expect(await box.api('GET', '/log-settings')).toMatchObject({ keep: 'month', rows: 5000, syslog: { facility: 'local0', severity: 'info' } })
  server.close()
  await page.close()
})

it('a certificate that is none keeps the pages away, and the Error log tells afterwards', async () => {
  const tls = join(box.data, 'tls')
  for (const file of ['certificate.pem', 'key.pem']) writeFileSync(join(tls, file), 'junk')
  process.kill(box.pid('webd'), 'SIGKILL')
  await box.says('can\'t be used')
  for (const file of readdirSync(tls)) rmSync(join(tls, file))
  await box.answers()
  const page = await open('/error-log')
  await page.locator('li').first().waitFor()
  expect(await page.locator('li').first().innerText()).toMatch(/certificate/i)
  await page.close()
})

it('the settings are changed, errors stand at their fields, and two who change them meet', async () => {
  const page = await open('/system')
  const realm = page.getByLabel('Realm', { exact: true })
  await realm.fill('two words')
  await page.keyboard.press('Enter')
  await page.locator('[aria-invalid="true"]').waitFor()
  await realm.fill('office')
  await page.getByLabel('SHA-256 only').check()
  await button(page, 'Save').click()
  await page.getByText('The settings are saved.').waitFor()
  expect(await button(page, 'Save').isDisabled()).toBe(true)

  const stored = async () => {
    const answer = await box.call('GET', '/api/v1/general')
    return { etag: String(answer.headers.etag), body: JSON.parse(answer.body) as Record<string, unknown> }
  }
  const { etag, body } = await stored()
  expect(body).toMatchObject({ realm: 'office', digest: 'sha256' })

  await realm.fill('mine')
  await box.api('PUT', '/general', { ...body, realm: 'theirs', country: 'SK' }, { 'if-match': etag })
  await page.getByText('Somebody else changed this meanwhile').waitFor()
  await button(page, 'Keep mine and save').click()
  await page.getByText('Somebody else changed this meanwhile').waitFor({ state: 'detached' })
  await expect.poll(async () => (await stored()).body, { timeout: 10_000 }).toMatchObject({ realm: 'mine', country: 'SK' })
  await page.close()
})

it("the kernel's log of a machine that is somebody else's is not shown", async () => {
  const page = await open('/kernel-log')
  await page.getByText('This machine is not administered here').waitFor()
  await page.close()
})
