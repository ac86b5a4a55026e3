// Rows that stand out, by rules that are kept in this browser, for all logs.
import { useLocalStorage } from '@mantine/hooks'

export const COLOURS = ['yellow', 'red', 'green', 'blue', 'grape'] as const
export type Colour = (typeof COLOURS)[number]

export interface Rule {
  pattern: string
  /** A regular expression, not just a text. */
  regex: boolean
  colour: Colour
}

/** More than anybody tells apart. */
export const MOST_RULES = 10

/** False where a regular expression can't be read. */
export function readable({ pattern, regex }: Rule): boolean {
  if (!regex) return true
  try {
    new RegExp(pattern, 'i')
    return true
  } catch {
    return false
  }
}

/** Says of a row in which colour it stands out: that of the first rule that fits. */
export function highlighter(rules: Rule[]): (text: string) => Colour | undefined {
  const tests = rules
    .filter((rule) => rule.pattern !== '' && readable(rule))
    .map(({ pattern, regex, colour }) => {
      const find = new RegExp(regex ? pattern : pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i')
      return { colour, fits: (text: string) => find.test(text) }
    })
  return (text) => tests.find(({ fits }) => fits(text))?.colour
}

export function useRules() {
  return useLocalStorage<Rule[]>({ key: 'log.highlight', defaultValue: [], getInitialValueInEffect: false })
}
