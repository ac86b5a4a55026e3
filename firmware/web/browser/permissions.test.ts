// Who may call what, before the real programs: groups with ordered rules, and the extensions that have one.
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
  await box.api('POST', '/interfaces', { name: 'provider1', partner: 'provider', server: { host: '127.0.0.1', port: 5099 }, prefix: '0' })
})

afterAll(async () => {
  await browser?.close()
  await box?.stop()
})

const field = (page: Page, label: string) => page.getByRole('dialog').getByLabel(label, { exact: true })
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

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

it('chapter 23.2: rules are added, put in order by the keyboard and tried before they are saved', async () => {
  const page = await open('/call-permission-groups')
  await page.getByText('No call permission groups yet').waitFor()
  await clean(page)
  await button(page, 'Add call permission group').click()
  await page.getByRole('dialog').waitFor()
  await field(page, 'Name').fill('Restriction for John Smith')
  for (const prefix of ['900', '0900654321', '05550111']) {
    await button(page, 'Add a rule').click()
    await page.keyboard.type(prefix)
  }
  await field(page, 'What rule 2 does').selectOption('Allowed')
  // The prefix for calls out is missing, and is said to be.
  await page.getByText('No route leads there: is the prefix for calls out missing?').waitFor()
  await field(page, 'Prefix of rule 1').fill('0900')
  await page.getByText('It never decides: rule 1 comes before it and fits all that it fits.').waitFor()
  await field(page, 'Try a dialled number').fill('0900654321')
  const said = page.getByRole('dialog').locator('output')
  expect(await said.innerText()).toBe('Denied, by rule 1')
  await clean(page)
  await button(page, 'Move rule 2 up').focus()
  await page.keyboard.press('ArrowUp')
  expect(await said.innerText()).toBe('Allowed, by rule 1')
  expect(await page.getByText('It never decides').count()).toBe(0)
  await field(page, 'Try a dialled number').fill('0900654322')
  expect(await said.innerText()).toBe('Denied, by rule 2')
  await field(page, 'Try a dialled number').fill('05550333')
  expect(await said.innerText()).toBe('Allowed, as no rule fits')

  // What only the exchange refuses is told at the rules.
  await field(page, 'Prefix of rule 3').fill('O555')
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByText('Use digits, * and #, perhaps + in front.').waitFor()
  await field(page, 'Prefix of rule 3').fill('05550111')
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const { groups } = await box.api<{ groups: object[] }>('GET', '/call-permission-groups')
  expect(groups).toMatchObject([
    {
      name: 'Restriction for John Smith',
      rules: [
        { prefix: '0900654321', permission: 'allow' },
        { prefix: '0900', permission: 'deny' },
        { prefix: '05550111', permission: 'deny' },
      ],
      default: 'allow',
    },
  ])
  await page.getByText('0900654321 allowed, 0900 denied, 05550111 denied').waitFor()
  await clean(page)
  await page.close()
})

it('an extension gets a group, its calls are judged by it, and the group stays as long', async () => {
  const page = await open('/extensions/1')
  await page.getByRole('combobox', { name: 'Call permission group' }).click()
  await page.getByRole('option', { name: 'Restriction for John Smith' }).click()
  await clean(page)
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await box.api('GET', '/extensions/1')).toMatchObject({ permission_group: 1 })

  await page.goto('/admin/call-explainer?dialled=0900654322')
  await button(page, 'Explain').click()
  await page.getByText('The call permission group Restriction for John Smith denies numbers that begin with 0900.').waitFor()
  await page.getByText('(SIP 403)').waitFor()
  await page.getByLabel('Dials').fill('0900654321')
  await page.keyboard.press('Enter')
  await page.getByText('allows numbers that begin with 0900654321.').waitFor()

  await page.goto('/admin/call-permission-groups')
  await button(page, 'Remove the group Restriction for John Smith').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Extension 201').waitFor()
  expect(await dialog.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true)
  await clean(page)
  await dialog.getByRole('button', { name: 'Cancel' }).click()

  // A user who is given the extension gets it with its restriction.
  await box.api('POST', '/users', { name: 'john', full_name: 'John Smith', role: 'user' })
  await page.goto('/admin/users/2')
  await dialog.getByRole('tab', { name: 'Extensions' }).click()
  await field(page, 'Add an existing extension').click()
  await page.getByRole('option', { name: /^201/ }).click()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(await box.api('GET', '/extensions/1')).toMatchObject({ permission_group: 1, user: 2 })
  await page.close()
})

it('a group goes when nobody has it any more', async () => {
  const page = await open('/extensions/1')
  await page.getByRole('combobox', { name: 'Call permission group' }).click()
  await page.getByRole('option', { name: 'All numbers' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await box.api('GET', '/extensions/1')).toMatchObject({ permission_group: null })
  await page.goto('/admin/call-permission-groups')
  await page.locator('tr[data-index="0"]').focus()
  await page.keyboard.press('Delete')
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No call permission groups yet').waitFor()
  await page.close()
})

it('the fraud protection is on, its limits are set, and the explainer tells of them', async () => {
  const page = await open('/fraud-protection')
  const input = (label: string) => page.getByLabel(label, { exact: true })
  await page.getByText('Nobody has a call outside, or has talked to costly numbers.').waitFor()
  expect(await input('Each extension: Calls outside at a time').inputValue()).toBe('5')
  expect(await input('All extensions together: Calls outside at a time').inputValue()).toBe('')
  await clean(page)
  await input('Each extension: Calls outside at a time').fill('0')
  await button(page, 'Save').click()
  await page.getByText('Allow at least one call, or leave the field empty.').waitFor()
  await input('Each extension: Calls outside at a time').fill('3')
  await input('Each extension: Costly minutes a day').fill('')
  await page.getByRole('combobox', { name: 'But not with' }).fill('0049')
  await page.keyboard.press('Enter')
  await input('Costly numbers only at certain hours').check()
  await input('Saturday').check()
  await input('Saturday: to').fill('00:00')
  await input('Friday: to').fill('07:00')
  await button(page, 'Save').click()
  await page.getByText('Let each day end after it begins; 00:00 is midnight.').waitFor()
  await input('Friday: to').fill('15:30')
  await clean(page)
  await button(page, 'Save').click()
  await page.getByText('The fraud protection was saved.').waitFor()
  const day = (to: string) => ({ from: '08:00', to })
  const stored = await box.api<{ exempt: string[] }>('GET', '/fraud-protection')
  expect(stored).toMatchObject({
    enabled: true,
    extension: { calls: 3, minutes_an_hour: 60, minutes_a_day: null },
    hours: [day('18:00'), day('18:00'), day('18:00'), day('18:00'), day('15:30'), day('24:00'), null],
  })
  expect(stored.exempt).toContain('0049')

  await input('Costly numbers only at certain hours').uncheck()
  await button(page, 'Take those known of Czechia').click()
  await button(page, 'Save').click()
  await expect.poll(() => box.api('GET', '/fraud-protection')).toMatchObject({ hours: null, exempt: ['+420', '00420'] })
  for (const [dialled, words] of [
    ['00044201234567', 'Fraud protection: numbers that begin with 00 are costly. Extension 201: 0 calls outside at a time (limit: 3), 0 minutes within an hour (limit: 60), 0 within a day (limit: none).'],
    ['0777123456', 'Fraud protection: the number is not costly. Extension 201: 0 calls outside at a time (limit: 3).'],
  ]) {
    await page.goto(`/admin/call-explainer?dialled=${dialled}`)
    await button(page, 'Explain').click()
    await page.getByText(words!).waitFor()
  }
  await page.close()
})

it('a group may be free of the fraud protection, and the page warns where it is off', async () => {
  const { id } = await box.api<{ id: number }>('POST', '/call-permission-groups', { name: 'Switchboard', rules: [], default: 'allow' })
  const page = await open(`/call-permission-groups/${id}`)
  await field(page, 'Fraud protection').uncheck()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await box.api('GET', `/call-permission-groups/${id}`)).toMatchObject({ fraud_protection: false })
  await page.goto('/admin/fraud-protection')
  await page.getByLabel('Fraud protection', { exact: true }).uncheck()
  await button(page, 'Save').click()
  await page.getByText('The fraud protection is off').waitFor()
  await page.close()
})
