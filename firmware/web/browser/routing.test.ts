// Ways to other networks are set up by the wizard, changed and removed, before the real programs.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box, launch, logIn, visitor } from './box'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let box: Box
let browser: Browser

beforeAll(async () => {
  box = await Box.start()
  browser = await launch()
  await box.firstVisit()
  await box.logIn()
  await box.api('POST', '/extensions', { number: '201', description: 'Reception' })
})

afterAll(async () => {
  await browser?.close()
  await box?.stop()
})

const field = (page: Page, label: string) => page.getByRole('dialog').getByLabel(label, { exact: true })
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const list = (page: Page, name: string) => page.getByRole('grid', { name })

async function open(path: string): Promise<Page> {
  const { page, errors } = await visitor(browser, box)
  await logIn(page)
  await page.goto(`/admin${path}`)
  page.on('close', () => expect(errors).toEqual([]))
  return page
}

/** Nobody is shut out by what is shown. */
async function clean(page: Page) {
  await page.evaluate(AXE)
  const found = await page.evaluate(() =>
    (window as unknown as { axe: { run: () => Promise<{ violations: { id: string }[] }> } }).axe.run().then(({ violations }) => violations.map(({ id }) => id)),
  )
  expect(found).toEqual([])
}

it('the wizard checks each step before the next, loses nothing on the way back, and adds a provider with the route to it', async () => {
  const page = await open('/call-routing')
  await page.getByText('No way out yet').waitFor()
  await clean(page)
  await button(page, 'Add interface').focus()
  await page.keyboard.press('Enter')

  await page.getByText('Step 1 of 4').waitFor()
  await field(page, 'Name').fill('two words')
  await page.keyboard.press('Enter')
  await page.getByText('Use letters without accents, digits, dot, dash and underscore only').waitFor()
  await field(page, 'Name').fill('provider1')
  await page.keyboard.press('Enter')

  // Each step is checked by the exchange before the next is shown.
  const focused = (label: string) => expect.poll(() => field(page, label).evaluate((input) => input === document.activeElement)).toBe(true)
  await page.getByText('Step 2 of 4').waitFor()
  await page.keyboard.type('sip:127.0.0.1')
  await field(page, 'User name').fill('5550100')
  await field(page, 'Password').fill('provider-key')
  await page.keyboard.press('Enter')
  await page.getByText('Enter a domain name such as sip.example.com, or an address.').waitFor()
  await focused('Server')
  await clean(page)
  await field(page, 'Server').fill('127.0.0.1')
  await field(page, 'Port').fill('70000')
  await page.keyboard.press('Enter')
  await page.getByText('Use 1 to 65535, or leave it empty.').waitFor()
  await field(page, 'Port').fill('9')
  await page.keyboard.press('Enter')

  await page.getByText('Step 3 of 4').waitFor()
  await field(page, 'External number 1').fill('5550100, 5550101')
  await field(page, 'External number 5550101').fill('5550100')
  await button(page, 'Next').click()
  await page.getByText('A number is listed twice: keep one of them.').waitFor()
  await field(page, 'External number 5550100').nth(1).fill('5550101')
  await field(page, '5550101 rings').click()
  await page.getByRole('option', { name: '201 – Reception' }).click()
  await clean(page)
  await button(page, 'Next').click()

  await page.getByText('Step 4 of 4').waitFor()
  await page.keyboard.type('2')
  await page.getByText('The number of an extension begins so: 201.').waitFor()
  await page.keyboard.press('Backspace')
  await page.keyboard.type('9')
  await page.getByText('Who dials 95550199 calls 5550199 by provider1.').waitFor()

  // Going back loses nothing.
  for (const step of [3, 2, 1]) {
    await button(page, 'Back').click()
    await page.getByText(`Step ${step} of 4`).waitFor()
  }
  const kept: [string, string][][] = [
    [['Name', 'provider1']],
    [['Server', '127.0.0.1'], ['Port', '9'], ['User name', '5550100'], ['Password', 'provider-key']],
    [['External number 5550100', '5550100'], ['External number 5550101', '5550101']],
    [['Prefix to dial out', '9']],
  ]
  for (const [index, fields] of kept.entries()) {
    await page.getByText(`Step ${index + 1} of 4`).waitFor()
    for (const [label, value] of fields) expect(await field(page, label).inputValue()).toBe(value)
    if (index < 3) await button(page, 'Next').click()
  }
  expect(await box.api('GET', '/routes')).toEqual({ routes: [] })
  await button(page, 'Add').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })

  const interfaces = list(page, 'Interfaces and incoming calls')
  await interfaces.getByText('5550100 → –, 5550101 → 201').waitFor()
  await interfaces.getByText(/^(Registering|Not registered)$/).waitFor()
  await list(page, 'Routes of outgoing calls').getByText('called: first 1 digit off').waitFor()
  await clean(page)
  await page.close()
})

it('the preview of a rewriting rule says what is sent, and interfaces change their order by the keyboard', async () => {
  const second = { name: 'provider2', partner: 'provider', server: { host: '127.0.0.1', port: 5099 } }
  await box.api('POST', '/interfaces', second)
  const page = await open('/call-routing/route-1')
  const dialog = page.getByRole('dialog')
  await dialog.getByPlaceholder('Add an interface').click()
  await page.getByRole('option', { name: /^provider2/ }).click()
  const order = dialog.getByRole('list', { name: 'Interfaces' }).getByRole('listitem')
  await order.nth(1).waitFor()
  await dialog.getByRole('button', { name: /^Move provider2.* up$/ }).focus()
  await page.keyboard.press('ArrowUp')
  await expect.poll(() => order.first().innerText()).toContain('provider2')
  // It can be moved on from where it is now.
  await page.keyboard.press('ArrowDown')
  await expect.poll(() => order.first().innerText()).toContain('provider1')
  await page.keyboard.press('ArrowUp')
  await expect.poll(() => order.first().innerText()).toContain('provider2')
  await clean(page)

  await dialog.getByRole('tab', { name: 'Rewriting' }).click()
  const [called, calling] = [dialog.getByRole('group', { name: 'Called number' }), dialog.getByRole('group', { name: 'Calling number' })]
  await called.getByLabel('Try a called number').fill('95550199')
  expect(await called.locator('output').innerText()).toBe('5550199')
  expect(await calling.locator('output').innerText()).toBe('its external number')
  await calling.getByLabel('Digits off from the left').fill('1')
  await calling.getByLabel('Then put in front').fill('01')
  expect(await calling.locator('output').innerText()).toBe('0101')
  await clean(page)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(await box.api('GET', '/routes/1')).toMatchObject({
    interfaces: [2, 1],
    outgoing: { called: { strip: 1, prefix: '' }, calling: { strip: 1, prefix: '01' } },
  })
  await page.close()
})

it('an interface is changed without its password, disabled and enabled', async () => {
  const page = await open('/call-routing/interface-1')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('tab', { name: 'Account' }).click()
  await field(page, 'Port').fill('70000')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Use 1 to 65535, or leave it empty.').waitFor()
  await field(page, 'Port').fill('10')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(await box.api('GET', '/interfaces/1')).toMatchObject({ server: { port: 10, has_password: true } })

  await button(page, 'Disable provider1').click()
  await list(page, 'Interfaces and incoming calls').getByText('Disabled').waitFor()
  await button(page, 'Enable provider1').click()
  await button(page, 'Disable provider1').waitFor()
  expect(await box.api('GET', '/interfaces/1')).toMatchObject({ enabled: true, server: { has_password: true } })
  await page.close()
})

it('an extension and a route that want the same numbers are told of each other, and saved', async () => {
  const page = await open('/extensions/new')
  await field(page, 'Number').fill('202')
  expect(await page.getByText('Numbers that begin with').count()).toBe(0)
  await field(page, 'Number').fill('901')
  await page.getByText('Numbers that begin with 9 go outside by provider2, provider1. 901 will ring this extension instead').waitFor()
  await clean(page)
  await button(page, 'Add').click()
  await button(page, 'I have noted it down').click()

  await page.goto('/admin/call-routing/route-1')
  await page.getByText('The number of an extension begins so: 901.').waitFor()
  await box.api('POST', '/extensions', { number: '902' })
  await page.getByText('The numbers of 2 extensions begin so: 901, 902.').waitFor()
  await clean(page)
  await field(page, 'Prefix').fill('8')
  await page.getByText('begin so').waitFor({ state: 'detached' })
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await button(page, 'Discard changes').click()
  const { extensions } = await box.api<{ extensions: { id: number }[] }>('GET', '/extensions?search=90')
  expect(extensions).toHaveLength(2)
  for (const { id } of extensions) await box.api('DELETE', `/extensions/${id}`, undefined, { 'if-match': '*' })
  await page.close()
})

it('emergency numbers are those of a country, leave by chosen routes, and none is an extension', async () => {
  const page = await open('/emergency-numbers')
  await page.getByText('Check where such a call would go').waitFor()
  await page.getByRole('combobox', { name: 'Numbers of a country' }).fill('United St')
  await page.getByRole('option', { name: 'United States', exact: true }).click()
  await button(page, 'Overwrite').click()
  await button(page, 'Add a number').click()
  await page.keyboard.type('201')
  await page.getByLabel('Description of 201').fill('Somebody')
  await page.getByRole('combobox', { name: 'Add a route' }).click()
  await page.getByRole('option', { name: /^9 – provider2, provider1$/ }).click()
  await button(page, 'Save').click()
  await page.getByText('Each number once, and none that an extension has.').waitFor()
  await clean(page)
  await page.getByLabel('Emergency number 201').fill('311')
  await button(page, 'Save').click()
  await page.getByText('The emergency numbers were saved.').waitFor()
  expect(await box.api('GET', '/emergency-numbers')).toMatchObject({
    numbers: [{ number: '112' }, { number: '911' }, { number: '311', description: 'Somebody' }],
    direct: true,
    routes: [1],
  })
  await page.close()
})

it('a call is explained step by step, and nobody is called', async () => {
  const page = await open('/emergency-numbers')
  await page.getByRole('link', { name: 'explain a call to 112' }).click()
  await button(page, 'Explain').click()
  await page.getByText('112 is an emergency number: it goes before all other rules and limits.').waitFor()
  await clean(page)
  await page.getByLabel('Dials').fill('9112')
  await page.keyboard.press('Enter')
  await page.getByText('9 is the prefix of a route and 112 an emergency number').waitFor()
  await page.getByLabel('Dials').fill('777')
  await page.keyboard.press('Enter')
  await page.getByText('The call is refused: nothing has this number (SIP 404).').waitFor()
  await page.getByRole('combobox', { name: 'Who calls' }).click()
  await page.getByRole('option', { name: 'Somebody outside, by provider1' }).click()
  await page.getByLabel('Dials').fill('5550101')
  await button(page, 'Explain').click()
  await page.getByText('The interface has the number 5550101: it rings 201.').waitFor()
  await page.getByText('0 phones of it can be reached now.').waitFor()
  await clean(page)
  await page.close()
})

it('a route of emergency calls stays until they have another', async () => {
  const page = await open('/call-routing')
  await list(page, 'Routes of outgoing calls').locator('tr[data-index="0"]').focus()
  await page.keyboard.press('Delete')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Emergency calls go by it').waitFor()
  expect(await dialog.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true)
  await box.api('PUT', '/emergency-numbers', { numbers: [{ number: '112' }], direct: true, routes: [] }, { 'if-match': '*' })
  await page.close()
})

it('an interface goes when no route leads to it any more', async () => {
  const page = await open('/call-routing')
  await button(page, 'Remove interface provider1').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Route for 9').waitFor()
  expect(await dialog.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true)
  await clean(page)
  await dialog.getByRole('button', { name: 'Cancel' }).click()

  await list(page, 'Routes of outgoing calls').locator('tr[data-index="0"]').focus()
  await page.keyboard.press('Delete')
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('Nobody can call out').waitFor()
  await button(page, 'Remove interface provider1').click()
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await button(page, 'Remove interface provider1').waitFor({ state: 'detached' })
  expect(await box.api<{ interfaces: { name: string }[] }>('GET', '/interfaces')).toMatchObject({ interfaces: [{ name: 'provider2' }] })
  await page.close()
})

it('a number is pasted as the provider writes it, and who takes the prefix of a route becomes its backup', async () => {
  const page = await open('/call-routing')
  for (const [name, host] of [['main', '127.0.0.1'], ['backup', '127.0.0.2']] as const) {
    await button(page, 'Add interface').click()
    await field(page, 'Name').fill(name)
    await button(page, 'Next').click()
    await field(page, 'Server').fill(host)
    await field(page, 'User name').fill('account')
    await field(page, 'Password').fill('provider-key')
    await button(page, 'Next').click()
    await field(page, 'External number 1').fill(name === 'main' ? '+420 234 567 890' : '+420 234 567 891 +420 234 567 892')
    await field(page, `External number +420234567${name === 'main' ? '890' : '892'}`).waitFor()
    await button(page, 'Next').click()
    await field(page, 'Prefix to dial out').fill('0')
    if (name === 'backup') {
      await page.getByText('Calls with 0 leave by main. backup becomes their backup').waitFor()
      await clean(page)
    }
    await button(page, 'Add').click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  const { interfaces } = await box.api<{ interfaces: { id: number; name: string }[] }>('GET', '/interfaces')
  const id = (name: string) => interfaces.find((one) => one.name === name)!.id
  expect(await box.api('GET', '/routes')).toMatchObject({ routes: [{ prefix: '0', interfaces: [id('main'), id('backup')] }] })

  // What is not ready is told with what it would be sent.
  await page.goto('/admin/call-explainer?dialled=00420123456789')
  await page.getByLabel('Dials').fill('00420123456789')
  await button(page, 'Explain').click()
  await page.getByText(/^backup is not ready \(.+\): passed over\. It would be sent 0420123456789, from /).waitFor()
  await page.close()
})
