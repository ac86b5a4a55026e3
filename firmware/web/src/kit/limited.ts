// What a field with thousands of choices lists: those with the words typed, and in the last line how many more
// there are.
import type { ComboboxItem, OptionsFilter } from '@mantine/core'
import i18next from 'i18next'
import { fold, matches } from './find'

/** As many as are worth scrolling through. */
export const MOST_CHOICES = 50

export const limited: OptionsFilter = ({ options, search, limit }) => {
  const asked = search.trim()
  const found = options.filter((option): option is ComboboxItem => 'label' in option && matches(fold(option.label), asked))
  if (found.length <= limit) return found
  const label = i18next.t('list.more', { count: found.length - limit })
  return [...found.slice(0, limit), { value: '…', label, disabled: true }]
}
