import { expect, it } from 'vitest'
import { isGuessable } from './strength'

it('tells which SIP passwords the box will call easy to guess', () => {
  const guessable = (password: string) => isGuessable(password, ['122', 'reception'])
  expect(['tuna-can', 'abcdefgh12', '123456789012345', 'Kx122Qmb9Zt7Lw', 'my-Reception-phone', 'aaaaaaaaaaaaaaaa'].map(guessable)).toEqual([
    true, false, true, true, true, true,
  ])
  expect(['', 'mXb7RkTq2wHcZ9sYfLpN', 'four-plain-words-here'].map(guessable)).toEqual([false, false, false])
})
