// Whether a SIP password is one that a program guesses, by the rule of the box: what it marks later is told before.

/** Guessed online at a thousand tries a second, it takes longer than anybody lives. */
const STRONG_BITS = 50
/** Shorter names are in many words by chance. */
const NAME_CHARS = 3
const KINDS: [RegExp, number][] = [
  [/[0-9]/, 10],
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[^0-9a-zA-Z]/, 32],
]

/** `names`: what its owner is called by. Nothing typed is not weak: the box makes one. */
export function isGuessable(password: string, names: string[]): boolean {
  if (password === '') return false
  const lower = password.toLowerCase()
  if (names.some((name) => name.length >= NAME_CHARS && lower.includes(name.toLowerCase()))) return true
  const alphabet = KINDS.filter(([kind]) => kind.test(password)).reduce((sum, [, size]) => sum + size, 0)
  return password.length * Math.log2(Math.max(2, alphabet)) < STRONG_BITS || new Set(lower).size === 1
}
