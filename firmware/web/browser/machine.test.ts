// The machine under the exchange: its health, network, clock and upgrades. The real webd asks a stand-in
// of what changes a machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box, launch, logIn, PASSWORD, visitor } from './box'
import { Machine } from './machine'

let box: Box
let browser: Browser
let machine: Machine
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'update-'))
  box = await Box.start()
  browser = await launch()
  await box.firstVisit()
  await box.logIn()
})

afterAll(async () => {
  await browser?.close()
  await machine?.stop()
  await box?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const field = (page: Page, label: string) => page.getByLabel(label, { exact: true })

async function open(path: string, name = 'Admin'): Promise<Page> {
  const { page, errors } = await visitor(browser, box)
  await logIn(page, name)
  await page.goto(`/admin${path}`)
  page.on('close', () => expect(errors).toEqual([]))
  return page
}

it('a machine of somebody else is shown and not changed', async () => {
  const page = await open('/dashboard')
  await page.getByRole('link', { name: 'System Health' }).click()
  await page.getByText('Memory used').waitFor()
  expect(await button(page, 'Restart').count()).toBe(0)
  await page.goto('/admin/system')
  await page.getByRole('link', { name: 'Network' }).click()
  await page.getByText('This machine is not administered here').waitFor()
  await field(page, 'Host name').waitFor()
  expect(await field(page, 'Host name').isDisabled()).toBe(true)
  await page.getByRole('link', { name: 'Time' }).click()
  await page.getByText('This machine is not administered here').waitFor()
  expect(await button(page, 'Save').count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Product Upgrade' }).count()).toBe(0)
  await page.goto('/admin/system/upgrade')
  await page.getByRole('heading', { name: 'This machine is not administered here' }).waitFor()
  await page.close()
  machine = await Machine.start(box)
})

it('its health is shown, and what ends calls asks first', async () => {
  const page = await open('/dashboard')
  await page.getByRole('link', { name: 'System Health' }).click()
  await page.getByText('48 °C').or(page.getByText('48°C')).waitFor()
  await page.getByText('operator-box-3000').waitFor()
  await page.getByText('3 days 2 hours').waitFor()
  await page.getByText('25.7 MB').waitFor()

  await button(page, 'Restart').click()
  await page.getByRole('menuitem', { name: 'Restart the box…' }).click()
  await button(page, 'Cancel').click()
  expect(machine.asked).toEqual([])
  for (const [entry, yes, told] of [
    ['Restart the exchange…', 'Restart the exchange', 'The exchange restarts.'],
    ['Restart the box…', 'Restart the box', 'The box restarts.'],
    ['Power off…', 'Power off', 'The box powers off.'],
  ] as const) {
    await button(page, 'Restart').click()
    await page.getByRole('menuitem', { name: entry }).click()
    await page.getByRole('dialog').getByRole('button', { name: yes, exact: true }).click()
    await page.getByText(told).waitFor()
  }
  await button(page, 'Restart').click()
  await page.getByRole('menuitem', { name: 'Factory reset…' }).click()
  await page.keyboard.type('reset')
  await page.keyboard.press('Enter')
  await page.getByText('Type RESET, in capitals.').waitFor()
  await page.getByRole('dialog').getByRole('textbox').fill('RESET')
  await page.keyboard.press('Enter')
  await page.getByText('The box restarts as it was delivered.').waitFor()
  expect(machine.asked.splice(0)).toEqual(['restart_exchange', 'reboot', 'power_off', 'factory_reset'].map((what) => `Admin: ${what}`))
  await page.close()
})

it('a network is tried, and kept or taken back', async () => {
  const page = await open('/system')
  await page.getByRole('link', { name: 'Network' }).click()
  const first = page.getByRole('region', { name: 'Ethernet port 1 (eth0)' })
  await first.getByText('Cable plugged in').waitFor()
  await first.getByText('Mask 255.255.255.0.').waitFor()
  await first.getByLabel('Address and network').fill('10.10.10.0/24')
  await field(page, 'Name servers (DNS)').fill('10.1.1.1, x')
  await button(page, 'Save').click()
  await page.getByText('these pages move to https://10.10.10.0').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Change the network' }).click()
  await page.getByText('neither the first nor the last address').waitFor()
  await page.getByText('Enter the addresses of up to three different servers.').waitFor()
  expect(machine.asked).toEqual([])

  await first.getByLabel('Address and network').fill('10.20.0.1/16')
  await field(page, 'Name servers (DNS)').fill('10.1.1.1')
  await page.keyboard.press('Enter')
  await page.getByText(`these pages move to https://10.20.0.1:${new URL(box.url).port}/admin/system/network`).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Change the network' }).click()
  const tried = page.getByRole('status').filter({ hasText: 'A new network is being tried' })
  await tried.getByText(/in [12]:\d\d\./).waitFor()
  expect(machine.settings.interfaces[0]!.addressing).toEqual({ addressing: 'static', address: '10.20.0.1/16' })
  await button(page, 'Back to the old one').click()
  await tried.waitFor({ state: 'detached' })
  await expect.poll(() => first.getByLabel('Address and network').inputValue()).toBe('10.10.10.1/24')

  // Somebody else tries one, and whoever comes to the new address keeps it.
  machine.left = 120
  await page.reload()
  await button(page, 'Keep the new network').click()
  await page.getByText('The network is kept.').waitFor()
  await tried.waitFor({ state: 'detached' })
  expect(machine.asked.splice(0)).toEqual(['set_network', 'revert_network', 'confirm_network'].map((what) => `Admin: ${what}`))
  await page.close()
})

it('who is cut off by it is led to the new address', async () => {
  const page = await open('/system/network')
  const first = page.getByRole('region', { name: 'Ethernet port 1 (eth0)' })
  await first.getByLabel('Address and network').fill('10.30.0.1/16')
  await page.route('**/api/v1/system/network', (route) => route.abort())
  await button(page, 'Save').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Change the network' }).click()
  const lost = page.getByRole('alert').filter({ hasText: 'The box has moved to its new address' })
  const link = `https://10.30.0.1:${new URL(box.url).port}/admin/system/network`
  expect(await lost.getByRole('link').getAttribute('href')).toBe(link)
  // It has gone back by itself.
  await page.unroute('**/api/v1/system/network')
  await lost.waitFor({ state: 'detached' })
  expect(machine.asked).toEqual([])
  await button(page, 'Discard changes').click()
  await page.close()
})

it('zone and time servers are set, and the clock by hand', async () => {
  machine.synchronised = false
  const page = await open('/system/time')
  await page.getByText('No server has told the time yet.').waitFor()
  await button(page, 'Take the time of this computer').click()
  await page.getByText('The clock is set.').waitFor()
  machine.synchronised = true
  await page.getByRole('combobox', { name: 'Time zone' }).fill('Tokyo')
  await page.getByRole('option', { name: 'Asia/Tokyo' }).click()
  await field(page, 'Time servers (NTP)').fill('10.1.1.1 10.1.1.2')
  await button(page, 'Save').click()
  await page.getByText('The time is set so.').waitFor()
  await page.getByText('Told by a server').waitFor()
  expect(machine.time).toEqual({ zone: 'Asia/Tokyo', servers: ['10.1.1.1', '10.1.1.2'] })
  expect(machine.asked.splice(0)).toEqual(['Admin: set_clock', 'Admin: set_time'])
  await page.close()
})

it('two who change the time at once meet, and nothing of either is lost unseen', async () => {
  const page = await open('/system/time')
  await field(page, 'Time servers (NTP)').fill('10.9.9.9')
  const theirs = { zone: 'Europe/London', servers: ['10.1.1.1'] }
  await box.api('PUT', '/system/time', theirs, { 'If-Match': '*' })
  await button(page, 'Save').click()
  await page.getByText('Somebody else changed this meanwhile').waitFor()
  expect(machine.time).toEqual(theirs)
  await button(page, 'Keep mine and save').click()
  await page.getByText('The time is set so.').waitFor()
  expect(machine.time).toEqual({ zone: 'Europe/London', servers: ['10.9.9.9'] })
  machine.asked.splice(0)
  await page.close()
})

it('the menu over SSH is switched on for keys', async () => {
  const page = await open('/system/remote')
  await page.getByText('ssh admin@').waitFor()
  await page.getByRole('checkbox', { name: 'The menu can be reached over SSH' }).check()
  await field(page, 'Public keys').fill('ssh-ed25519 AAAA me\nwhat is this')
  await button(page, 'Save').click()
  await page.getByText('Paste public keys, one a line').waitFor()
  expect(machine.remote.enabled).toBe(false)
  await field(page, 'Public keys').fill('ssh-ed25519 AAAA me\n\nssh-rsa BBBB you\n')
  await button(page, 'Save').click()
  await page.getByText('The menu over SSH is set so.').waitFor()
  await page.getByText('The key of the box is SHA256:').waitFor()
  expect(machine.remote).toEqual({ enabled: true, keys: ['ssh-ed25519 AAAA me', 'ssh-rsa BBBB you'] })
  expect(machine.asked.splice(0)).toEqual(['Admin: set_remote_menu', 'Admin: set_remote_menu'])
  await page.close()
})

it('an upgrade is sent, written, tried and kept, or says why not', async () => {
  const page = await open('/system/upgrade')
  await page.getByRole('row', { name: 'A 0.1.0 Runs' }).waitFor()
  await page.getByRole('row', { name: 'B – Nothing known' }).waitFor()
  const file = join(folder, 'operator-box.update')
  writeFileSync(file, Buffer.alloc(3_000_000, 'u'))
  const chosen = page.waitForEvent('filechooser')
  await button(page, 'Choose an update file…').click()
  await (await chosen).setFiles(file)
  await page.getByText('Version 0.2.0 is written').waitFor()
  expect(await button(page, 'Choose an update file…').count()).toBe(0)
  expect(machine.asked.splice(0)).toEqual(['Admin: upgrade'])
  expect(machine.uploads()).toBe(0)

  machine.upgrade = { state: 'ready', version: '0.2.0' }
  machine.otherVersion = '0.2.0'
  await page.getByRole('row', { name: 'B 0.2.0 Tried at the next restart' }).waitFor()
  await button(page, 'Restart now…').click()
  await button(page, 'Restart the box').click()
  await page.getByText('The box restarts.').waitFor()
  expect(machine.asked.splice(0)).toEqual(['Admin: reboot'])

  machine.upgrade = { state: 'trying', version: '0.2.0' }
  Object.assign(machine, { running: 'B', version: '0.2.0', otherVersion: '0.1.0' })
  await page.reload()
  await page.getByRole('row', { name: 'B 0.2.0 Runs, being tried' }).waitFor()
  expect(await button(page, 'Choose an update file…').count()).toBe(0)
  machine.upgrade = { state: 'done', version: '0.2.0', at: Date.UTC(2026, 10, 22, 7) * 1000 }
  await page.getByText('Version 0.2.0 runs and has proved itself').waitFor()
  await page.getByRole('row', { name: 'A 0.1.0 Kept to go back to' }).waitFor()

  const late = "the new system's call to itself did not pass within five minutes: no sound passed"
  machine.upgrade = { state: 'failed', version: '0.3.0', reason: late }
  await page.reload()
  await page.getByText('Version 0.3.0 was not kept').waitFor()
  await page.getByText('The exchange of the new system has not called itself within five minutes.').waitFor()
  await page.getByText('no sound passed').waitFor()
  machine.taken = { state: 'failed', version: null, reason: 'the file is damaged or incomplete: fetch it again' }
  const other = page.waitForEvent('filechooser')
  await button(page, 'Choose an update file…').click()
  await (await other).setFiles(file)
  await page.getByText('The file was not taken').waitFor()
  await page.getByText('The file is damaged or incomplete. Fetch it again.').waitFor()
  // The box says it in English, the page in the reader's language.
  await button(page, 'Language').click()
  await page.getByRole('menuitem', { name: 'Čeština' }).click()
  await page.getByText('Soubor je poškozený nebo neúplný.').waitFor()
  expect(await page.getByText('fetch it again').count()).toBe(0)
  await page.getByRole('button', { name: 'Jazyk' }).click()
  await page.getByRole('menuitem', { name: 'English' }).click()
  await page.close()
})

it("the kernel's log goes on by itself, is searched and saved", async () => {
  const page = await open('/kernel-log')
  const log = page.getByRole('region', { name: 'Kernel log' })
  await log.getByText('pbxd: the exchange is ready').waitFor()
  machine.kernel.push('pbxd: one more')
  await log.getByText('pbxd: one more').waitFor()
  expect(await log.locator('li').first().innerText()).toContain('one more')
  await page.getByRole('searchbox').fill('eth0')
  await log.getByText('NIC Link is Up').waitFor()
  await expect.poll(() => log.locator('li').count()).toBe(1)
  await button(page, 'Save').click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'As HTML' }).click()])
  expect(download.suggestedFilename()).toMatch(/^kernel-log-.*\.html$/)
  expect(await button(page, 'Clear').count()).toBe(0)
  await page.close()
})

it('who may only look sees all of it and changes nothing', async () => {
  await box.api('POST', '/users', { name: 'looks', full_name: '', language: 'en', role: 'read_only', password: PASSWORD })
  machine.left = 100
  const page = await open('/system/network', 'looks')
  await page.getByText('A new network is being tried').waitFor()
  expect(await button(page, 'Keep the new network').count()).toBe(0)
  expect(await field(page, 'Host name').isDisabled()).toBe(true)
  machine.left = null
  await page.goto('/admin/system/upgrade')
  await page.getByRole('table').waitFor()
  expect(await button(page, 'Choose an update file…').count()).toBe(0)
  await page.goto('/admin/health')
  await page.getByText('Memory used').waitFor()
  expect(await button(page, 'Restart').count()).toBe(0)
  await page.close()
})
