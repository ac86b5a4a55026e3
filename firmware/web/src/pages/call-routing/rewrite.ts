// Rewriting rules: digits go from the left, then others are put in front. What the exchange does with
// a number is shown while the rule is written.
import type { TFunction } from 'i18next'
import type { Schemas } from '../../api/client'

export type Rule = Schemas['Rewrite']
export type Rules = Schemas['Rewriting']

export const AS_IT_IS: Rule = { strip: 0, prefix: '' }

/** What the rule makes of a number; of a shorter one all goes. */
export function apply({ strip = 0, prefix = '' }: Rule, number: string): string {
  return prefix + [...number].slice(strip).join('')
}

export function isIdentity({ strip = 0, prefix = '' }: Rule): boolean {
  return strip === 0 && prefix === ''
}

/** The rule in words; nothing where it leaves numbers as they are. */
export function inWords(rule: Rule, t: TFunction): string {
  const { strip = 0, prefix = '' } = rule
  return [strip > 0 && t('rewrite.off', { count: strip }), prefix && t('rewrite.front', { prefix })].filter(Boolean).join(', ')
}

/** A number of a block: X stands for digits that vary. */
export function sample(block: string): string {
  return block.replace(/X/gi, '1')
}

/** Shorter pieces between blanks are parts of one number. */
const SHORTEST = 5

/** What was typed or pasted, as numbers: several may stand beside each other, and a number may have blanks in it. */
export function split(text: string): string[] {
  const lines = text.split(/[,;\t\r\n]+/).map((line) => line.trim()).filter(Boolean)
  return lines.flatMap((line) => {
    const pieces = line.split(/\s+/)
    const whole = pieces.every((piece) => piece.replace('+', '').length >= SHORTEST)
    if (whole) return pieces
    // A plus begins a number, wherever it stands.
    return line.split(/\s+(?=\+)/).map((number) => number.replace(/\s+/g, ''))
  })
}

/** The rule that a new route begins with: a provider is sent the number without the prefix. */
export function begin(prefix: string, partner: Schemas['Partner'] | undefined): Rule {
  return { strip: partner === 'exchange' ? 0 : prefix.length, prefix: '' }
}
