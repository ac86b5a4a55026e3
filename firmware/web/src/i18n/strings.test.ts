// Every string is in both languages, is used, has its plurals and the same values put into it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import cs from './cs.json'
import en from './en.json'
import { preferred } from './index'

const SRC = resolve(import.meta.dirname, '..')
const PLURAL = /_(zero|one|two|few|many|other)$/
const FORMS = { en: ['one', 'other'], cs: ['one', 'few', 'many', 'other'] }

function flat(tree: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'string' ? [[path + key, value] as const] : [...flat(value as object, `${path}${key}.`)],
    ),
  )
}

const strings = { en: flat(en), cs: flat(cs) }
/** Codes of the API may end like a plural. */
const isPlural = (key: string) => PLURAL.test(key) && !key.startsWith('fault.')
const plain = (keys: Iterable<string>) =>
  [...new Set([...keys].map((key) => (isPlural(key) ? key.replace(PLURAL, '') : key)))].sort()

function sources(): string {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.(test|d)\.tsx?$/.test(name))
    .map((name) => readFileSync(join(SRC, name), 'utf8'))
    .join('\n')
}

describe('strings', () => {
  it('are the same in both languages', () => {
    expect(plain(strings.cs.keys())).toEqual(plain(strings.en.keys()))
  })

  it.each(['en', 'cs'] as const)('have the plural forms of %s', (language) => {
    const keys = [...strings[language].keys()]
    const missing = plain(keys.filter(isPlural)).flatMap((key) =>
      FORMS[language].map((form) => `${key}_${form}`).filter((form) => !keys.includes(form)),
    )
    expect(missing).toEqual([])
    const rules = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    expect([...rules].sort()).toEqual([...FORMS[language]].sort())
  })

  it('put the same values in', () => {
    const values = (text: string) => [...new Set(text.match(/\{\{\w+\}\}/g))].sort()
    const different = [...strings.en].filter(([key, text]) => {
      const other = strings.cs.get(key)
      return other !== undefined && String(values(text)) !== String(values(other))
    })
    expect(different).toEqual([])
  })

  it('are not empty', () => {
    const empty = [...strings.en, ...strings.cs].filter(([, text]) => text.trim() === '').map(([key]) => key)
    expect(empty).toEqual([])
  })

  it('say every problem and fault of the API in both languages', () => {
    const kept = join(SRC, '../../bin/webd/tests/snapshots/openapi__the_document_is_as_it_was_looked_at.snap')
    const text = readFileSync(kept, 'utf8')
    const { schemas } = (JSON.parse(text.slice(text.indexOf('\n---\n', 3) + 5)) as { components: { schemas: Record<string, { enum: string[] }> } }).components
    const codes = [...schemas.Code!.enum.map((code) => `problem.${code}`), ...schemas.FieldCode!.enum.map((code) => `fault.${code}`)]
    expect(codes.length).toBeGreaterThan(40)
    for (const known of Object.values(strings)) {
      expect(codes.filter((code) => !known.has(code) && !known.has(`${code}_other`))).toEqual([])
    }
  })

  it('are used', () => {
    const code = sources()
    const literal = new Set([...code.matchAll(/['"`]([a-z_]+(?:\.[\w-]+)+)['"`]/g)].map(([, key]) => key))
    // t(`role.${user.role}`) uses all of role.
    const patterns = [...code.matchAll(/`([a-z_]+\.[^`]*\$\{[^`]*)`/g)].map(
      ([, text = '']) => new RegExp(`^${text.replace(/\./g, '\\.').replace(/\$\{[^}]*\}/g, '[\\w-]+')}$`),
    )
    const unused = plain(strings.en.keys()).filter(
      (key) => !literal.has(key) && !patterns.some((pattern) => pattern.test(key)),
    )
    expect(unused).toEqual([])
  })
})

describe('the language', () => {
  it('is what was chosen, else what the browser asks for', () => {
    expect(preferred(['en-US', 'cs'], 'cs')).toBe('cs')
    expect(preferred(['cs-CZ', 'en'], null)).toBe('cs')
    expect(preferred(['de-DE', 'sk'], null)).toBe('cs')
    expect(preferred(['de-DE'], null)).toBe('en')
    expect(preferred([], 'xx')).toBe('en')
  })
})
