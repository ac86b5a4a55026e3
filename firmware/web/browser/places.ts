// Every page and dialog there is: each gets pictures, and is looked at for what shuts people out.
import type { Page } from 'playwright-core'

export interface Place {
  name: string
  path: string
  /** What is done there before it is looked at. */
  act?: (page: Page) => Promise<void>
  /** It shows a call of real phones. */
  talkers?: true
}

async function tab(page: Page, index: number) {
  await page.getByRole('dialog').getByRole('tab').nth(index).click()
}

/** Opens the first row of a list. */
async function first(page: Page, key = 'Enter') {
  await page.locator('tr[data-index="0"]').focus()
  await page.keyboard.press(key)
}

/** What a box shows that nobody has set up. */
export const EMPTY: Place[] = [
  { name: 'empty-dashboard', path: '/dashboard' },
  { name: 'empty-calls', path: '/calls' },
  { name: 'empty-call-history', path: '/call-history' },
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
  { name: 'users', path: '/users' },
  { name: 'users-new', path: '/users/new' },
  { name: 'users-extensions', path: '/users/2', act: (page) => tab(page, 1) },
  { name: 'users-advanced', path: '/users/2', act: (page) => tab(page, 2) },
  { name: 'extensions', path: '/extensions' },
  { name: 'extensions-new', path: '/extensions/new' },
  { name: 'extensions-sip', path: '/extensions/1', act: (page) => tab(page, 1) },
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
  { name: 'system', path: '/system' },
  {
    name: 'config-log',
    path: '/config-log',
    act: async (page) => {
      await page.getByRole('searchbox').fill('admin')
      await page.locator('mark').first().waitFor()
    },
  },
  { name: 'security-log', path: '/security-log' },
  {
    name: 'security-log-clear',
    path: '/security-log',
    act: async (page) => {
      await page.getByRole('button', { name: /^(Clear|Vymazat)$/ }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'error-log', path: '/error-log' },
  {
    name: 'help',
    path: '/users',
    act: async (page) => {
      await page.locator('header').getByRole('button', { name: /^(Help|Nápověda)$/ }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'account', path: '/account' },
  { name: 'not-found', path: '/nothing' },
]

export async function goTo(page: Page, place: Place) {
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
