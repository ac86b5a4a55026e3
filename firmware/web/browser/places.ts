// Every page and dialog there is: each gets pictures, and is looked at for what shuts people out.
import type { Page } from 'playwright-core'
import { PASSWORD } from './box'
import type { Machine } from './machine'

export interface Place {
  name: string
  path: string
  /** What is done there before it is looked at. */
  act?: (page: Page) => Promise<void>
  /** What is done afterwards, so that another place can be gone to. */
  leave?: (page: Page) => Promise<void>
  /** It shows a call of real phones. */
  talkers?: true
  /** How the machine is there. */
  machine?: Partial<Pick<Machine, 'upgrade' | 'running' | 'version' | 'otherVersion' | 'left' | 'synchronised'>>
}

async function tab(page: Page, index: number) {
  await page.getByRole('dialog').getByRole('tab').nth(index).click()
}

/** Opens the first row of a list. */
async function first(page: Page, key = 'Enter') {
  await page.locator('tr[data-index="0"]').first().focus()
  await page.keyboard.press(key)
}

/** Goes so many steps on in the wizard of an interface. */
async function steps(page: Page, count: number) {
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('radio').first().waitFor()
  const values: Record<number, string[]> = { 0: ['provider3'], 1: ['sip.example.com', '', '5550300'], 2: ['5550300, 5550305, 5550391'], 3: ['9'] }
  for (let step = 0; step <= count; step++) {
    const fields = dialog.locator('input:not([type="radio"], [type="checkbox"], [type="password"]), input[type="text"]')
    await dialog.getByText(new RegExp(`^(Step|Krok) ${step + 1} `)).waitFor()
    for (const [index, value] of values[step]!.entries()) if (value) await fields.nth(index).fill(value)
    if (step < count) await page.keyboard.press('Enter')
  }
}

/** Leaves a dialog with what was typed in it. */
async function letGo(page: Page) {
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^(Discard changes|Zahodit změny)$/ }).click()
}

/** Changes an object as somebody else would. */
async function change(page: Page, path: string, part: object) {
  await page.evaluate(
    async ([url, part]) => {
      const { name, full_name, email, language, role, enabled } = (await (await fetch(url)).json()) as Record<string, unknown>
      const body = JSON.stringify({ name, full_name, email, language, role, enabled, ...part })
      const headers = { 'content-type': 'application/json', 'if-match': '*', 'x-requested-with': 'test' }
      await fetch(url, { method: 'PUT', headers, body })
    },
    [`/api/v1${path}`, part] as const,
  )
}

/** Names that somebody else gives, each time another. */
const THEIRS = ['Němcová Horáková', 'Němcová Malá']
let turn = 0

async function anotherPassword(page: Page) {
  await tab(page, 1)
  await page.getByRole('button', { name: /…$/ }).click()
  await page.locator('input[autocomplete="new-password"]').waitFor()
}

async function menu(page: Page, name: RegExp) {
  await page.getByRole('button', { name }).click()
  await page.getByRole('menu').waitFor()
}

/** Takes an entry of the menu with what ends calls. */
async function ask(page: Page, entry: RegExp) {
  await menu(page, /^(Restart|Restartovat)$/)
  await page.getByRole('menuitem', { name: entry }).click()
  await page.getByRole('dialog').getByRole('button').last().waitFor()
}

/** The box as it is while the exchange does not run. */
export async function down(page: Page) {
  const hello = { exchange: false, calls: [], registrations: [], config_version: 1 }
  await page.route('**/api/v1/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `event: hello\ndata: ${JSON.stringify(hello)}\n\n` }),
  )
  await page.reload()
  await page.getByRole('heading', { level: 2 }).first().waitFor()
  await page.unroute('**/api/v1/events')
}

/** What a box shows that nobody has set up. */
export const EMPTY: Place[] = [
  { name: 'empty-dashboard', path: '/dashboard' },
  { name: 'empty-dashboard-down', path: '/dashboard', act: down },
  { name: 'empty-calls', path: '/calls' },
  { name: 'empty-call-history', path: '/call-history' },
  { name: 'empty-call-routing', path: '/call-routing' },
]

export const PLACES: Place[] = [
  { name: 'dashboard', path: '/dashboard' },
  { name: 'calls', path: '/calls', talkers: true, act: (page) => page.getByText(/^(Good|Dobrá)$/).first().waitFor() },
  {
    name: 'call',
    path: '/calls',
    talkers: true,
    act: async (page) => {
      await first(page)
      await page.getByRole('dialog').getByText(/^(Good|Dobrá)$/).first().waitFor()
    },
  },
  {
    name: 'call-hang-up',
    path: '/calls',
    talkers: true,
    act: async (page) => {
      await first(page, 'Delete')
      await page.getByRole('dialog').getByRole('button').last().waitFor()
    },
  },
  { name: 'call-history', path: '/call-history' },
  { name: 'call-history-chosen', path: '/call-history?period=chosen&from=2026-11-01&number=1' },
  {
    name: 'call-history-call',
    path: '/call-history?result=answered',
    talkers: true,
    act: async (page) => {
      await first(page)
      await page.getByRole('dialog').getByText(/^(Good|Dobrá)$/).first().waitFor()
    },
  },
  {
    name: 'call-history-clear',
    path: '/call-history',
    talkers: true,
    act: async (page) => {
      await page.getByRole('button', { name: /…$/ }).click()
      await page.getByRole('dialog').getByRole('button').last().waitFor()
    },
  },
  { name: 'calls-down', path: '/calls', act: down },
  { name: 'users', path: '/users' },
  { name: 'users-new', path: '/users/new' },
  { name: 'users-extensions', path: '/users/2', act: (page) => tab(page, 1) },
  { name: 'users-ringing', path: '/users/2', act: (page) => tab(page, 2) },
  { name: 'users-advanced', path: '/users/2', act: (page) => tab(page, 3) },
  {
    name: 'users-password',
    path: '/users/9',
    act: async (page) => {
      await page.getByRole('button', { name: /^(Set the password|Nastavit heslo)$/ }).click()
      await page.locator('input[autocomplete="new-password"]').last().fill('not the same')
      await page.keyboard.press('Enter')
      await page.locator('[aria-invalid="true"]').waitFor()
    },
  },
  {
    name: 'users-conflict',
    path: '/users/8',
    act: async (page) => {
      await page.locator('input[maxlength="128"]').first().fill('Alena Nová')
      await change(page, '/users/8', { full_name: `Alena ${THEIRS[turn++ % THEIRS.length]}`, email: null, enabled: false })
      await page.getByRole('alert').waitFor()
    },
    leave: (page) => page.getByRole('button', { name: /^(Take theirs|Převzít cizí)$/ }).click(),
  },
  {
    name: 'again',
    path: '/users',
    act: async (page) => {
      await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }))
      await page.getByRole('dialog').waitFor()
    },
    leave: async (page) => {
      await page.locator('input[autocomplete="current-password"]').fill(PASSWORD)
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    },
  },
  { name: 'extensions', path: '/extensions' },
  {
    name: 'extensions-actions',
    path: '/extensions',
    act: async (page) => {
      const more = page.getByRole('button', { name: /^(What to do with it|Další možnosti)$/ }).first()
      await page.locator('tr[data-index]').first().waitFor()
      if (await more.isVisible()) await more.click()
    },
    leave: (page) => page.keyboard.press('Escape'),
  },
  { name: 'extensions-new', path: '/extensions/new' },
  { name: 'extensions-sip', path: '/extensions/1', act: (page) => tab(page, 1) },
  { name: 'extensions-caller-id', path: '/extensions/1', act: (page) => tab(page, 2) },
  { name: 'extensions-phones', path: '/extensions/8', act: (page) => tab(page, 3) },
  { name: 'extensions-password', path: '/extensions/52', act: anotherPassword },
  {
    name: 'extensions-once',
    path: '/extensions/52',
    act: async (page) => {
      await anotherPassword(page)
      await page.keyboard.press('Enter')
      await page.locator('[data-secret]').waitFor()
    },
  },
  {
    name: 'extensions-remove',
    path: '/extensions',
    act: async (page) => {
      await page.locator('tr[data-index="0"]').focus()
      await page.keyboard.press('Delete')
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'dial-plan', path: '/dial-plan' },
  { name: 'call-routing', path: '/call-routing' },
  { name: 'call-routing-wizard', path: '/call-routing/interface-new', act: (page) => steps(page, 0), leave: letGo },
  { name: 'call-routing-wizard-account', path: '/call-routing/interface-new', act: (page) => steps(page, 1), leave: letGo },
  { name: 'call-routing-wizard-numbers', path: '/call-routing/interface-new', act: (page) => steps(page, 2), leave: letGo },
  { name: 'call-routing-wizard-prefix', path: '/call-routing/interface-new', act: (page) => steps(page, 3), leave: letGo },
  { name: 'call-routing-interface', path: '/call-routing/interface-1', act: (page) => tab(page, 0) },
  { name: 'call-routing-account', path: '/call-routing/interface-1', act: (page) => tab(page, 1) },
  { name: 'call-routing-numbers', path: '/call-routing/interface-1', act: (page) => tab(page, 2) },
  { name: 'call-routing-rewriting', path: '/call-routing/interface-2', act: (page) => tab(page, 3) },
  { name: 'call-routing-advanced', path: '/call-routing/interface-1', act: (page) => tab(page, 4) },
  {
    name: 'call-routing-remove',
    path: '/call-routing',
    act: async (page) => {
      await first(page, 'Delete')
      await page.getByRole('dialog').getByRole('listitem').first().waitFor()
    },
  },
  { name: 'call-routing-route', path: '/call-routing/route-1', act: (page) => tab(page, 0) },
  { name: 'call-routing-route-rewriting', path: '/call-routing/route-1', act: (page) => tab(page, 1) },
  { name: 'call-explainer', path: '/call-explainer' },
  { name: 'call-explainer-answer', path: '/call-explainer?extension=1&dialled=95550199', act: (page) => page.getByRole('listitem').last().waitFor() },
  { name: 'emergency-numbers', path: '/emergency-numbers' },
  { name: 'fraud-protection', path: '/fraud-protection' },
  {
    name: 'fraud-protection-hours',
    path: '/fraud-protection',
    act: async (page) => {
      await page.getByRole('checkbox').nth(1).check()
      await page.getByRole('checkbox').last().scrollIntoViewIfNeeded()
    },
    leave: (page) => page.getByRole('button', { name: /^(Discard changes|Zahodit změny)$/ }).click(),
  },
  { name: 'call-permission-groups', path: '/call-permission-groups' },
  { name: 'call-permission-group', path: '/call-permission-groups/1' },
  { name: 'system', path: '/system' },
  { name: 'system-network', path: '/system/network', machine: { left: null } },
  {
    name: 'system-network-change',
    path: '/system/network',
    act: async (page) => {
      await page.getByRole('textbox').first().fill('10.20.0.1/16')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
    },
    leave: async (page) => {
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: /^(Discard changes|Zahodit změny)$/ }).click()
    },
  },
  {
    name: 'system-network-tried',
    path: '/system/network',
    machine: { left: 95 },
    act: (page) => page.getByRole('button', { name: /^(Keep the new network|Ponechat novou síť)$/ }).waitFor(),
  },
  { name: 'system-time', path: '/system/time', machine: { left: null, synchronised: true } },
  { name: 'system-time-unheard', path: '/system/time', machine: { synchronised: false } },
  { name: 'system-logs', path: '/system/logs' },
  { name: 'system-remote', path: '/system/remote' },
  { name: 'system-upgrade', path: '/system/upgrade', machine: { upgrade: { state: 'none' }, running: 'A', version: '0.1.0', otherVersion: null } },
  { name: 'system-upgrade-writing', path: '/system/upgrade', machine: { upgrade: { state: 'writing', version: '0.2.0', per_cent: 62 } } },
  { name: 'system-upgrade-ready', path: '/system/upgrade', machine: { upgrade: { state: 'ready', version: '0.2.0' }, otherVersion: '0.2.0' } },
  {
    name: 'system-upgrade-trying',
    path: '/system/upgrade',
    machine: { upgrade: { state: 'trying', version: '0.2.0' }, running: 'B', version: '0.2.0', otherVersion: '0.1.0' },
  },
  {
    name: 'system-upgrade-done',
    path: '/system/upgrade',
    machine: { upgrade: { state: 'done', version: '0.2.0', at: Date.UTC(2026, 10, 22, 7, 35, 53) * 1000 } },
  },
  {
    name: 'system-upgrade-failed',
    path: '/system/upgrade',
    machine: {
      upgrade: {
        state: 'failed', version: '0.2.0', reason: "the new system's call to itself did not pass within five minutes: no sound over TLS",
      },
      running: 'A', version: '0.1.0', otherVersion: '0.2.0',
    },
  },
  { name: 'health', path: '/health' },
  {
    name: 'health-menu',
    path: '/health',
    act: (page) => menu(page, /^(Restart|Restartovat)$/),
  },
  { name: 'health-power-off', path: '/health', act: (page) => ask(page, /^(Power off…|Vypnout…)$/) },
  { name: 'health-factory-reset', path: '/health', act: (page) => ask(page, /^(Factory reset…|Tovární nastavení…)$/) },
  { name: 'debug-log', path: '/debug-log', act: (page) => page.getByRole('checkbox').first().waitFor() },
  {
    name: 'debug-log-on',
    path: '/debug-log',
    act: async (page) => {
      await page.getByRole('button', { name: /^(Begin|Spustit)$/ }).click()
      await page.evaluate(() => fetch('/api/v1/debug-log'))
      await page.getByRole('button', { name: /^(End|Ukončit)$/ }).waitFor()
    },
    leave: (page) => page.getByRole('button', { name: /^(End|Ukončit)$/ }).click(),
  },
  {
    name: 'config-log',
    path: '/config-log',
    act: async (page) => {
      await page.getByRole('searchbox').fill('admin')
      await page.locator('mark').first().waitFor()
    },
  },
  {
    name: 'config-log-highlight',
    path: '/config-log',
    act: async (page) => {
      await page.getByRole('button', { name: /^(Highlight rows|Zvýraznit řádky)$/ }).click()
      await page.getByRole('dialog').getByRole('textbox').first().fill('session')
      await page.getByRole('button', { name: /^(Another rule|Další pravidlo)$/ }).click()
      await page.getByRole('dialog').getByRole('textbox').last().fill('extension 1[0-9]+')
      await page.getByRole('checkbox').last().check()
    },
    leave: async (page) => {
      await page.keyboard.press('Escape')
      await page.locator('[data-colour]').first().waitFor()
    },
  },
  { name: 'config-log-coloured', path: '/config-log', act: (page) => page.locator('[data-colour]').first().waitFor() },
  { name: 'security-log', path: '/security-log' },
  {
    name: 'security-log-clear',
    path: '/security-log',
    act: async (page) => {
      await page.getByRole('button', { name: /^(Clear|Vymazat)$/ }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'warning-log', path: '/warning-log' },
  { name: 'error-log', path: '/error-log' },
  { name: 'kernel-log', path: '/kernel-log', machine: { left: null }, act: (page) => page.locator('li time').first().waitFor() },
  {
    name: 'help',
    path: '/users',
    act: async (page) => {
      await page.locator('header').getByRole('button', { name: /^(Help|Nápověda)$/ }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'menu-language', path: '/account', act: (page) => menu(page, /^(Language|Jazyk)$/) },
  { name: 'menu-account', path: '/account', act: (page) => menu(page, /^(Account|Účet)$/) },
  { name: 'config-log-save', path: '/config-log', act: (page) => menu(page, /^(Save|Uložit)$/) },
  { name: 'account', path: '/account' },
  { name: 'not-found', path: '/nothing' },
]

export async function goTo(page: Page, place: Place, machine?: Machine) {
  if (machine) Object.assign(machine, place.machine)
  await page.goto(`/admin${place.path}`)
  await page.locator('h1').waitFor()
  await page.waitForLoadState('load')
  if (/\/(new|\d+)$/.test(place.path)) await page.getByRole('dialog').waitFor()
  else if (['/config-log', '/security-log'].includes(place.path)) await page.locator('li time').first().waitFor()
  else if (place.path === '/system') await page.getByRole('radio').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('main :is([aria-busy="true"], .mantine-Skeleton-root)'))
  await place.act?.(page)
  // Fonts and what comes with them: pictures are the same each time.
  await page.evaluate(() => document.fonts.ready)
}
