// What an administrator does, before the real programs.
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box, launch, logIn, PASSWORD, visitor } from './box'
import { Phone } from './phone'
import { down } from './places'

const DIST = resolve(process.env.PAGES ?? join(import.meta.dirname, '../dist'))
/** docs/SPECIFICATION.md. */
const FIRST_LOAD = 250_000

let box: Box
let browser: Browser

beforeAll(async () => {
  box = await Box.start()
  browser = await launch()
})

afterAll(async () => {
  await browser?.close()
  await box?.stop()
})

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true })
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const row = (page: Page, text: string) => page.locator('tr[data-index]', { hasText: text })

async function open(path: string, name = 'Admin', password = PASSWORD): Promise<Page> {
  const { page, errors } = await visitor(browser, box)
  await logIn(page, name, password)
  await page.goto(`/admin${path}`)
  page.on('close', () => expect(errors).toEqual([]))
  return page
}

it('a first visitor sets the password, adds a user with an extension by the keyboard, and a phone shows up', async () => {
  const { page, errors } = await visitor(browser, box)
  await page.goto('/admin/')
  await field(page, 'Password').waitFor()
  await page.keyboard.type('short')
  await page.keyboard.press('Enter')
  await page.getByText('The two passwords are not the same.').waitFor()
  await field(page, 'Password').fill('password')
  await field(page, 'Password again').fill('password')
  await page.keyboard.press('Enter')
  await page.getByText('This password is among the first that are tried').waitFor()
  await field(page, 'Password').fill(PASSWORD)
  await field(page, 'Password again').fill(PASSWORD)
  await page.keyboard.press('Enter')

  await button(page, 'Add user').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.type('Jana Nováková')
  expect(await field(page, 'User name').inputValue()).toBe('jana.novakova')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('jana')
  expect(await field(page, 'User name').inputValue()).toBe('jana')
  const height = () => page.getByRole('dialog').evaluate((dialog) => dialog.clientHeight)
  const before = await height()
  await page.getByRole('tab', { name: 'General' }).focus()
  await page.keyboard.press('ArrowRight')
  expect(await height()).toBe(before)
  await page.getByPlaceholder('No extensions yet').waitFor()
  await button(page, 'New extension').focus()
  await page.keyboard.press('Enter')
  await page.getByText('new', { exact: true }).waitFor()
  // Its number is what one looks at next.
  await expect.poll(() => field(page, 'Number of the new extension').evaluate((input) => input === document.activeElement)).toBe(true)
  await button(page, 'Add').focus()
  // It is saved, and the list is not there yet.
  let goOn: (value?: unknown) => void = () => undefined
  const list = new Promise((done) => (goOn = done))
  await page.route('**/api/v1/users?*', (route) => list.then(() => route.continue()).catch(() => undefined))
  await page.keyboard.press('Enter')

  const once = page.getByRole('dialog', { name: 'Enter this in the phone' })
  await once.waitFor()
  const [server, port, tls, user, password] = await once.locator('code').allTextContents()
  expect([server, port, tls]).toEqual(['127.0.0.1', `${box.sipPort}`, `${box.sipPort + 1}`])
  await page.keyboard.press('Escape')
  await once.getByText('The password is shown only now').waitFor()
  expect(await page.getByText('Leave without saving?').count()).toBe(0)
  goOn()
  await button(page, 'I have noted it down').click()
  await row(page, 'Jana Nováková').waitFor()
  expect(await page.content()).not.toContain(password)

  await page.getByRole('link', { name: 'Extensions' }).click()
  await row(page, 'No phone').waitFor()
  const phone = new Phone(box, user!, password!)
  await phone.registerSoon()
  await row(page, 'Snom 320').waitFor()
  await phone.registerSoon(0)
  await row(page, 'No phone').waitFor()
  phone.close()
  expect(errors).toEqual([])
  await page.close()
})

it('a phone whose connection is gone is shown to be away until it is back', async () => {
  await box.logIn()
  const { sip_password } = await box.api<{ sip_password: string }>('POST', '/extensions', { number: '140', description: 'Attic' })
  const page = await open('/extensions')
  const phone = new Phone(box, '140', sip_password, 'Yealink T46', 'tcp')
  await phone.registerSoon()
  await row(page, '140').getByText('Yealink T46').waitFor()
  phone.close()
  await row(page, '140').getByText('Reconnecting').waitFor()
  await page.goto('/admin/dashboard')
  await page.getByText("1 extension can't be called at present").waitFor()
  await page.goto('/admin/extensions')
  await phone.registerSoon()
  await row(page, '140').getByText('Yealink T46').waitFor()

  await row(page, '140').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('tab', { name: 'Phones' }).click()
  await dialog.getByText(/^127\.0\.0\.1:\d+ · TCP$/).waitFor()
  await dialog.getByText(/^Its registration ends, unless the phone renews it, in [45] minutes$/).waitFor()
  phone.close()
  await dialog.getByText('Reconnecting').waitFor()
  expect(await dialog.getByRole('alert').count()).toBe(0)
  // Somebody entered it wrongly, while the dialog is open.
  const wrong = new Phone(box, '140', 'not the password')
  await expect(wrong.register()).rejects.toThrow('refused')
  await dialog.getByText('Wrong password, from 127.0.0.1').waitFor()
  wrong.close()
  await page.keyboard.press('Escape')
  await row(page, '140').getByText('Wrong password').waitFor()
  // Nobody has to look for it: it is told on the first page too, with names that nobody gave.
  const unknown = new Phone(box, 'attic-phone', 'any password')
  await expect(unknown.register()).rejects.toThrow('refused')
  unknown.close()
  await page.goto('/admin/dashboard')
  const attention = page.getByRole('region', { name: 'Needs attention' })
  await attention.getByText('A phone of 1 extension is not let in').waitFor()
  await attention.getByText('attic-phone · 127.0.0.1').waitFor()
  await attention.getByRole('link', { name: '140 · 127.0.0.1' }).click()
  await dialog.getByRole('tab', { name: 'Phones' }).click()
  await phone.registerSoon()
  await dialog.getByRole('alert').waitFor({ state: 'detached' })
  await phone.registerSoon(0)
  phone.close()
  await dialog.getByText('No phone is registered.').waitFor()
  await page.goto('/admin/dashboard')
  await attention.waitFor()
  await attention.getByText('A phone of 1 extension is not let in').waitFor({ state: 'detached' })
  await attention.getByText('attic-phone').waitFor({ state: 'detached' })
  await page.close()
})

it('the debug log shows messages without their secrets while somebody wants it', async () => {
  await box.logIn()
  const { sip_password } = await box.api<{ sip_password: string }>('POST', '/extensions', { number: '141' })
  const page = await open('/debug-log')
  await page.getByText('Begin it, then make the call').waitFor()
  await button(page, 'Begin').click()
  await page.getByText('Nothing has come yet').waitFor()
  await page.getByText(/ends in 1[45] minutes/).waitFor()
  const phone = new Phone(box, '141', sip_password, 'Yealink T46')
  await phone.registerSoon()
  const rows = page.locator('li')
  await rows.filter({ hasText: 'SIP/2.0 200' }).first().waitFor()
  const text = await rows.filter({ hasText: 'Authorization: (left out)' }).first().innerText()
  expect(text).toContain('Yealink T46')
  expect(text).not.toContain('response=')
  await button(page, 'End').click()
  await button(page, 'Begin').waitFor()
  const before = await rows.count()
  await phone.registerSoon()
  await phone.registerSoon(0)
  phone.close()
  await page.goto('/admin/config-log')
  await page.getByText('Ended the Debug log').first().waitFor()
  await page.goto('/admin/debug-log')
  await rows.first().waitFor()
  expect(await rows.count()).toBe(before)
  await page.close()
})

it('where the exchange does not run, the first steps say so, and where the reason is', async () => {
  const page = await open('/dashboard')
  const steps = page.getByRole('region', { name: /first/i })
  await steps.getByText('127.0.0.1', { exact: true }).waitFor()
  await steps.getByText('Enter the server and a port in the phone').waitFor()
  await down(page)
  await steps.getByText('no phone can connect').waitFor()
  expect(await steps.getByText('Enter the server').count()).toBe(0)
  await steps.getByRole('link', { name: 'The Error log says why' }).click()
  await page.getByRole('heading', { name: 'Error log' }).waitFor()
  await page.close()
})

it('what the box refuses is told at its field', async () => {
  const page = await open('/extensions/new')
  await field(page, 'Number').fill('100')
  await page.keyboard.press('Enter')
  await page.getByText('This number is taken: choose another.').waitFor()
  expect(await field(page, 'Number').evaluate((input) => input === document.activeElement)).toBe(true)
  await field(page, 'Number').fill('555')
  await page.getByRole('tab', { name: 'SIP' }).click()
  await field(page, 'SIP user name').fill('no spaces')
  // The fault brings its tab to the front.
  await page.getByRole('tab', { name: 'General' }).click()
  await field(page, 'Description').press('Enter')
  await page.getByText('Use letters without accents, digits, dot, dash and underscore only').waitFor()
  await page.close()
})

it('an extension is shown by the name that was chosen, says nothing twice, and a weak password stands out', async () => {
  await box.logIn()
  const { users } = await box.api<{ users: { id: number; name: string }[] }>('GET', '/users')
  const user = users.find(({ name }) => name === 'jana')!.id
  const weak = { number: '145', description: 'Jana Nováková', user, sip_password: '12345678' }
  const { id } = await box.api<{ id: number }>('POST', '/extensions', weak)
  const page = await open('/extensions')
  const line = row(page, '145')
  await line.getByRole('img', { name: 'The SIP password is easy to guess' }).waitFor()
  expect((await line.innerText()).match(/Jana Nováková/g)).toHaveLength(1)
  await line.click()
  await page.getByRole('tab', { name: 'Caller ID' }).click()
  await page.getByText('Jana Nováková · 145').waitFor()
  await page.getByLabel('Another name').check()
  await page.keyboard.type('Front desk')
  await page.getByText('Front desk · 145').waitFor()
  await page.keyboard.press('Enter')
  await page.getByText('Extension 145 was saved.').waitFor()
  expect(await box.api('GET', `/extensions/${id}`)).toMatchObject({ caller_name: 'Front desk' })

  await line.click()
  await page.getByRole('tab', { name: 'SIP' }).click()
  await button(page, 'Set another password…').click()
  await page.keyboard.press('Enter')
  await button(page, 'I have noted it down').click()
  await page.getByRole('dialog').getByText('easy to guess').waitFor({ state: 'detached' })
  await page.close()
})

it('an extension shows the number of another one outside', async () => {
  await box.logIn()
  const own = await box.api<{ id: number }>('POST', '/extensions', { number: '171' })
  const other = await box.api<{ id: number }>('POST', '/extensions', { number: '172', description: 'Assistant' })
  const page = await open(`/extensions/${own.id}`)
  await page.getByRole('tab', { name: 'Caller ID' }).click()
  await page.getByRole('radio', { name: 'That of another extension' }).check()
  await page.getByRole('combobox', { name: 'That of another extension' }).fill('172')
  await page.getByRole('option', { name: '172 · Assistant' }).click()
  await button(page, 'Save').click()
  await page.getByText('Extension 171 was saved.').waitFor()
  expect(await box.api('GET', `/extensions/${own.id}`)).toMatchObject({ caller_id: { show: 'extension', extension: other.id } })
  await page.close()
})

it("a user's calls ring the mobile too, and a circle is told", async () => {
  await box.logIn()
  const { id } = await box.api<{ id: number }>('POST', '/users', { name: 'eva' })
  const other = await box.api<{ id: number }>('POST', '/users', { name: 'ota' })
  const own = await box.api<{ id: number }>('POST', '/extensions', { number: '175', user: id })
  const theirs = await box.api<{ id: number }>('POST', '/extensions', { number: '176', user: other.id })
  const page = await open(`/users/${id}`)
  await page.getByRole('tab', { name: 'Ringing Rules' }).click()
  await page.getByText('The extension that was called.').waitFor()
  await button(page, 'Add number').click()
  // The user's own phone goes on ringing.
  expect(await page.getByRole('combobox', { name: 'Number 1', exact: true }).inputValue()).toBe('175')
  await page.getByRole('combobox', { name: 'Number 2', exact: true }).fill('mobile')
  await button(page, 'Save').click()
  await page.getByText('Use digits, * and #, perhaps + in front.').waitFor()
  await page.getByRole('combobox', { name: 'Number 2', exact: true }).fill('90602111111')
  await page.getByRole('textbox', { name: 'Number 2 rings after (s)' }).fill('5')
  await page.getByRole('combobox', { name: 'When busy or refused, forward to' }).fill('176')
  await button(page, 'Save').click()
  await page.getByText('User eva was saved.').waitFor()
  expect(await box.api('GET', `/users/${id}`)).toMatchObject({
    ringing: {
      rings: [
        { target: { extension: own.id }, after_s: 0, for_s: null },
        { target: { number: '90602111111' }, after_s: 5, for_s: null },
      ],
      busy: { extension: theirs.id },
    },
  })

  await page.goto(`/admin/users/${other.id}`)
  await page.getByRole('tab', { name: 'Ringing Rules' }).click()
  await page.getByRole('combobox', { name: 'Forward all calls to' }).fill('175')
  await button(page, 'Save').click()
  await page.getByText('User ota was saved.').waitFor()
  await page.goto(`/admin/users/${id}`)
  await page.getByRole('tab', { name: 'Ringing Rules' }).click()
  await page.getByRole('combobox', { name: 'Forward all calls to' }).fill('176')
  await button(page, 'Save').click()
  await page.getByText('Calls would go round in a circle: eva → ota → eva. Forward them elsewhere.').waitFor()
  await page.close()
})

it('two administrators at once: what both changed is shown, and mine goes on top of theirs', async () => {
  await box.logIn()
  const users = await box.api<{ users: { id: number; name: string }[] }>('GET', '/users')
  const { id } = users.users.find(({ name }) => name === 'jana')!
  const page = await open(`/users/${id}`)
  await field(page, 'Full name').fill('Jana Mine')
  const body = { name: 'jana', full_name: 'Jana Theirs', email: 'jana@example.com', language: 'en', role: 'user', enabled: true }
  await box.api('PUT', `/users/${id}`, body, { 'if-match': '*' })
  const conflict = page.getByRole('alert').filter({ hasText: 'Somebody else changed this' })
  await conflict.waitFor()
  expect(await conflict.innerText()).toContain('Jana Theirs')
  await button(page, 'Keep mine and save').click()
  await row(page, 'Jana Mine').waitFor()
  const stored = await box.api<{ full_name: string; email: string }>('GET', `/users/${id}`)
  expect(stored).toMatchObject({ full_name: 'Jana Mine', email: 'jana@example.com' })

  // Nothing typed: the dialog follows by itself.
  await row(page, 'Jana Mine').click()
  await field(page, 'E-mail').waitFor()
  await box.api('PUT', `/users/${id}`, { ...body, full_name: 'Jana Nováková' }, { 'if-match': '*' })
  await expect.poll(() => field(page, 'Full name').inputValue()).toBe('Jana Nováková')
  await page.close()
})

it('what was typed is not lost: not by going back, nor by the end of the session', async () => {
  const page = await open('/users')
  await row(page, 'jana').click()
  await field(page, 'Full name').fill('Jana Typed')
  await page.goBack()
  await button(page, 'Go on editing').click()
  expect(await field(page, 'Full name').inputValue()).toBe('Jana Typed')
  await page.keyboard.press('Escape')
  await button(page, 'Go on editing').click()

  await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }))
  const again = page.getByRole('dialog', { name: 'Your session has ended' })
  await again.waitFor()
  await again.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.keyboard.press('Enter')
  await again.waitFor({ state: 'detached' })
  await button(page, 'Save').click()
  await row(page, 'Jana Typed').waitFor()
  await page.close()
})

it('Escape closes what lies on top, and nothing under it', async () => {
  const page = await open('/extensions')
  await row(page, 'Jana').first().click()
  const extension = page.getByRole('dialog', { name: /^Extension/ })
  await extension.getByRole('button', { name: 'Help' }).click()
  const help = page.getByRole('dialog', { name: 'Help' })
  await help.waitFor()
  await page.keyboard.press('Escape')
  await help.waitFor({ state: 'detached' })
  expect(await extension.isVisible()).toBe(true)
  await extension.getByRole('tab', { name: 'SIP' }).click()
  await button(page, 'Set another password…').click()
  const password = page.getByRole('dialog', { name: /^SIP password of/ })
  await password.waitFor()
  await page.keyboard.press('Escape')
  await password.waitFor({ state: 'detached' })
  expect(await extension.isVisible()).toBe(true)
  await page.keyboard.press('Escape')
  await extension.waitFor({ state: 'detached' })
  await page.close()
})

it('who may only look can change nothing, and a plain user gets no further', async () => {
  await box.logIn()
  for (const [name, role] of [['looks', 'read_only'], ['plain', 'user']]) {
    await box.api('POST', '/users', { name, full_name: '', language: 'en', role, password: PASSWORD })
  }
  const looks = await open('/users', 'looks')
  await row(looks, 'jana').click()
  await field(looks, 'Full name').waitFor()
  expect(await field(looks, 'Full name').isDisabled()).toBe(true)
  expect(await button(looks, 'Save').count()).toBe(0)
  await looks.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
  expect(await button(looks, 'Add user').count()).toBe(0)
  expect(await looks.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
  await looks.close()
  const plain = await open('/users', 'plain')
  await plain.getByText('Nothing to administer').waitFor()
  expect(await plain.getByRole('link', { name: 'Users' }).count()).toBe(0)
  await plain.close()
})

it('the language is switched at once, and kept with the account', async () => {
  const page = await open('/users', 'looks')
  await button(page, 'Language').hover()
  await page.getByRole('tooltip').waitFor()
  await button(page, 'Language').click()
  // It would cover the first language.
  await page.getByRole('tooltip').waitFor({ state: 'detached' })
  await page.getByRole('menuitem', { name: 'Čeština' }).click()
  await page.getByRole('heading', { name: 'Uživatelé' }).waitFor()
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('cs')
  await page.close()
  const elsewhere = await open('/users', 'looks')
  await elsewhere.getByRole('heading', { name: 'Uživatelé' }).waitFor()
  await elsewhere.close()
})

it('of 5,000 extensions only those in sight are drawn', async () => {
  const { page } = await visitor(browser, box)
  const extensions = Array.from({ length: 5_000 }, (_, index) => ({
    id: index + 1, number: String(10_000 + index), description: `Room ${index}`, enabled: true, active: true,
    sip_username: String(10_000 + index), codecs: ['pcma'], etag: '"r1"', user: null, user_name: null, phones: 0, password_is_weak: false,
  }))
  await page.route('**/api/v1/extensions?*', (route) => {
    const asked = new URL(route.request().url()).searchParams
    const [offset, limit] = [Number(asked.get('offset')), Number(asked.get('limit'))]
    return route.fulfill({ json: { total: extensions.length, extensions: extensions.slice(offset, offset + limit) } })
  })
  await logIn(page)
  await page.goto('/admin/extensions')
  await page.getByText('5000 extensions').waitFor()
  expect(await page.locator('tr[data-index]').count()).toBeLessThan(60)
  await page.locator('tr[data-index="0"]').focus()
  await page.keyboard.press('End')
  await row(page, '14999').waitFor()
  expect(await page.locator('tr[data-index="4999"]').evaluate((last) => last === document.activeElement)).toBe(true)
  await page.keyboard.press('/')
  await page.keyboard.type('room 4321')
  await page.getByText('1 of 5000 extensions').waitFor()
  await row(page, '14321').waitFor()
  await page.close()
})

it('an open page on which nothing happens asks for next to nothing', async () => {
  const { page } = await visitor(browser, box)
  await page.clock.install()
  await logIn(page)
  // Less than the silence after which a line is given up: heartbeats come by the true clock.
  const seconds = 40
  const asked: Record<string, number> = {}
  const told: string[] = []
  for (const name of ['dashboard', 'calls', 'call-history', 'users', 'extensions', 'dial-plan', 'system', 'config-log', 'system/network', 'health']) {
    await page.goto(`/admin/${name}`)
    await page.waitForLoadState('load')
    await page.locator('h1').waitFor()
    await page.waitForFunction(() => !document.querySelector('main :is([aria-busy="true"], .mantine-Skeleton-root)'))
    let requests = 0
    const urls: string[] = []
    const count = (request: { url: () => string }) => {
      const { pathname } = new URL(request.url())
      if (!pathname.startsWith('/api/')) return
      requests += 1
      urls.push(pathname)
    }
    page.on('request', count)
    // What the opening of the page asks for may be late where the machine is busy.
    for (let quiet = 0, seen = requests; quiet < 10; seen = requests) {
      await page.clock.runFor(200)
      await new Promise((done) => setTimeout(done, 50))
      quiet = requests === seen ? quiet + 1 : 0
    }
    requests = 0
    urls.length = 0
    for (let second = 0; second < seconds - 2; second++) await page.clock.runFor(1_000)
    page.off('request', count)
    asked[name] = requests
    told.push(`${name}: ${urls.join(' ')}`)
  }
  const { 'system/network': network, health, dashboard, ...others } = asked
  expect(Object.values(others).every((requests) => requests === 0), told.join('; ')).toBe(true)
  expect(dashboard).toBeLessThanOrEqual(1)
  expect(network).toBeLessThanOrEqual(3)
  expect(health).toBeLessThanOrEqual(9)
  await page.close()
})

it('the number of a new extension is chosen, and one that is taken is told before it is saved', async () => {
  const page = await open('/users/new')
  const dialog = page.getByRole('dialog')
  await field(page, 'User name').fill('Petr Malý')
  await button(page, 'Use petr.maly').click()
  expect(await field(page, 'User name').inputValue()).toBe('petr.maly')
  await page.getByRole('tab', { name: 'Extensions' }).click()
  await button(page, 'New extension').click()
  const number = field(page, 'Number of the new extension')
  await number.fill('100')
  await dialog.getByText('Something has this number already').waitFor()
  await number.fill('177')
  await dialog.getByText('Something has this number already').waitFor({ state: 'detached' })
  await button(page, 'Add').click()
  await page.getByRole('dialog', { name: 'Enter this in the phone' }).getByText('177').first().waitFor()
  await button(page, 'I have noted it down').click()
  await row(page, 'petr.maly').waitFor()
  // The phone of who goes can't call any more, unless somebody wants that.
  await row(page, 'petr.maly').focus()
  await page.keyboard.press('Delete')
  expect(await dialog.getByRole('radio').first().isChecked()).toBe(true)
  await dialog.getByText('is taken off the list').waitFor()
  await button(page, 'Remove').click()
  await dialog.waitFor({ state: 'detached' })
  await page.goto('/admin/extensions')
  await row(page, '177').getByText('Disabled').waitFor()
  await page.close()
})

it('a user with a wrong extension is not stored, and the extension is told', async () => {
  await box.logIn()
  await box.api('POST', '/extensions', { number: '178', sip_username: '179' })
  const free = await box.api<{ id: number }>('POST', '/extensions', { number: '170' })
  const page = await open('/users/new')
  const dialog = page.getByRole('dialog')
  await field(page, 'Full name').fill('Eva Dvořáková')
  await page.getByRole('tab', { name: 'Extensions' }).click()
  await page.getByRole('combobox', { name: 'Add an existing extension' }).fill('170')
  await page.getByRole('option', { name: '170' }).click()
  await button(page, 'New extension').click()
  await button(page, 'New extension').click()
  await field(page, 'Number of the new extension').nth(1).fill('179')
  await page.getByRole('tab', { name: 'General' }).click()
  await button(page, 'Add').click()
  // The tab comes to the front, at the row.
  await dialog.getByText('This number is taken: choose another.').waitFor()
  expect(await dialog.locator('[aria-invalid="true"]').count()).toBe(1)
  const users = async () => (await box.api<{ users: { name: string }[] }>('GET', '/users?search=eva.dvorakova')).users
  expect(await users()).toEqual([])
  expect(await box.api('GET', `/extensions/${free.id}`)).toMatchObject({ user: null })
  await field(page, 'Number of the new extension').nth(1).fill('180')
  await dialog.getByText('This number is taken: choose another.').waitFor({ state: 'detached' })
  await button(page, 'Add').click()
  const once = page.getByRole('dialog', { name: 'Enter this in the phone' })
  await once.getByText('Extension 180').waitFor()
  await button(page, 'I have noted it down').click()
  await row(page, 'eva.dvorakova').waitFor()
  expect(await users()).toMatchObject([{ extensions: [{ number: '170' }, {}, { number: '180' }] }])
  await page.close()
})

it('the first load is small', async () => {
  const { page } = await visitor(browser, box)
  await logIn(page)
  const scripts = new Set<string>()
  page.on('request', (request) => {
    const name = new URL(request.url()).pathname.replace('/admin/', '')
    if (name.endsWith('.js')) scripts.add(name)
  })
  await page.goto('/admin/users')
  await row(page, 'Admin').waitFor()
  const size = (name: string) => statSync(join(DIST, existsSync(join(DIST, `${name}.gz`)) ? `${name}.gz` : name)).size
  const total = [...scripts].reduce((sum, name) => sum + size(name), 0)
  console.log(`first load: ${total} octets of script, gzipped, in ${scripts.size} files`)
  expect(total).toBeGreaterThan(0)
  expect(total).toBeLessThanOrEqual(FIRST_LOAD)
  await page.close()
})
