// Every page and dialog there is: each gets pictures, and is looked at for what shuts people out.
import type { Page } from 'playwright-core'

export interface Place {
  name: string
  path: string
  /** What is done there before it is looked at. */
  act?: (page: Page) => Promise<void>
}

async function tab(page: Page, index: number) {
  await page.getByRole('dialog').getByRole('tab').nth(index).click()
}

export const PLACES: Place[] = [
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
  else if (['/users', '/extensions', '/dial-plan'].includes(place.path)) await page.locator('tr[data-index="0"]').waitFor()
  else if (['/config-log', '/security-log'].includes(place.path)) await page.locator('li time').first().waitFor()
  else if (place.path === '/system') await page.getByRole('radio').first().waitFor()
  await place.act?.(page)
  // Fonts and what comes with them: pictures are the same each time.
  await page.evaluate(() => document.fonts.ready)
}
