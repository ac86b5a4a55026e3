// Who takes part in a call, as lists show it; and how it sounds.
import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { StatusBadge } from '../../kit/small'
import { STATE, worst } from './quality'

type Party = Schemas['Party']

export function partyText(party: Party | null, dialled?: string): string {
  return [party?.number ?? dialled, party?.name].filter(Boolean).join(' ')
}

/** `dialled` is what the called party was called by. */
export function PartyCell({ party, dialled }: { party: Party | null; dialled?: string }) {
  return (
    <>
      {/* On a phone the columns have no headings. */}
      {dialled !== undefined && (
        <Text span inherit hiddenFrom="sm" aria-hidden>
          {'→ '}
        </Text>
      )}
      <span className="figures">{party?.number ?? dialled}</span>
      {party?.name && (
        <Text span inherit c="dimmed" fw={400}>
          {` ${party.name}`}
        </Text>
      )}
    </>
  )
}

export function QualityCell({ legs }: { legs: Schemas['Leg'][] }) {
  const { t } = useTranslation()
  const word = worst(legs)
  return word && <StatusBadge state={STATE[word]}>{t(`quality.${word}`)}</StatusBadge>
}
