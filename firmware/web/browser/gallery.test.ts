// Pictures of every page in both languages, at two widths and in both themes; and no page or dialog
// shuts anybody out (axe-core).
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box, launch, type Look, logIn, OUT, visitor } from './box'
import { Machine } from './machine'
import { EMPTY, goTo, type Place, PLACES } from './places'
import { type Office, office } from './sample'
import { TALKERS } from './talker'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const ALL: Required<Look>[] = (['en', 'cs'] as const).flatMap((language) =>
  [{ width: 1280, height: 800 }, { width: 390, height: 844 }].flatMap((size) =>
    (['light', 'dark'] as const).map((scheme) => ({ language, scheme, ...size })),
  ),
)
/** Half of them has each language at each width, and both themes of both. */
const LOOKS = ALL.filter(
  ({ language, width, scheme }) =>
    process.env.GALLERY === 'all' || (language === 'en') === ((width > 768) === (scheme === 'light')),
)

/** Pages and dialogs by name, where not all are looked at. */
const ONLY = process.env.ONLY?.split(',')

/** Some seventy places on a machine that has much else to do. */
const LOOK_MS = 600_000

let box: Box
let browser: Browser
let people: Office | undefined
let machine: Machine | undefined

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true })
  box = await Box.start()
  browser = await launch()
})

afterAll(async () => {
  await people?.close()
  await machine?.stop()
  await browser?.close()
  await box?.stop()
})

interface Violation {
  id: string
  nodes: { html: string; failureSummary: string }[]
}

async function axe(page: Page): Promise<string[]> {
  // The policy of the page keeps scripts out; the browser's own tools are let in.
  await page.evaluate(AXE)
  const violations = await page.evaluate(
    () => (window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } }).axe.run().then(({ violations }) => violations),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 220)}`))
}

async function picture(page: Page, name: string, { language, width, scheme }: Required<Look>) {
  await page.screenshot({ path: join(OUT, `${name}-${language}-${width}-${scheme}.png`) })
}

describe('before anybody has logged in', () => {
  it.each(LOOKS)('first visit, $language $width $scheme', async (look) => {
    const { context, page, errors } = await visitor(browser, box, look)
    await page.goto('/admin/')
    await page.locator('form').waitFor()
    await page.evaluate(() => document.fonts.ready)
    await picture(page, 'first-visit', look)
    expect(await axe(page)).toEqual([])
    expect(errors).toEqual([])
    await context.close()
  })
})

async function look(at: Required<Look>, places: Place[]) {
  const { context, page, errors } = await visitor(browser, box, at)
  // Chosen in this browser, it holds whatever language the account has.
  await context.addInitScript((language) => localStorage.setItem('language', language), at.language)
  await page.goto('/admin/')
  await page.locator('form').waitFor()
  await picture(page, 'login', at)
  expect(await axe(page)).toEqual([])
  await logIn(page)
  for (const place of places.filter(({ name }) => ONLY?.includes(name) ?? true)) {
    await goTo(page, place, machine)
    await picture(page, place.name, at)
    expect.soft(await axe(page), place.name).toEqual([])
    await place.leave?.(page)
  }
  expect(errors).toEqual([])
  await context.close()
}

describe('with nothing set up', () => {
  beforeAll(async () => {
    await box.firstVisit()
    await box.logIn()
  })

  it.each(LOOKS)('every page that says what to do, $language $width $scheme', (at) => look(at, EMPTY))
})

describe('with an office of fifty', () => {
  beforeAll(async () => {
    people = await office(box)
    machine = await Machine.start(box)
  })

  it.each(LOOKS)(
    'every page, $language $width $scheme',
    (at) => look(at, PLACES.filter(({ talkers }) => TALKERS || !talkers)),
    LOOK_MS,
  )
})
