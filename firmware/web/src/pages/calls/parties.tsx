// Who takes part in a call, as lists show it; and how it sounds.
import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useNow } from '../../kit/Time'
import { StatusBadge } from '../../kit/small'
import { gradeText, limit, STATE, talkedSince, worst } from './quality'

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

/** The interfaces that a call came and left by. */
export function interfacesOf(legs: Schemas['Leg'][]): string {
  return legs.flatMap((leg) => leg.interface ?? []).join(' → ')
}

/** How a call sounded, answered `talked_s` before its end, or sounds `now`. */
export function QualityCell({ legs, talked_s, now }: { legs: Schemas['Leg'][]; talked_s: number; now?: number }) {
  const { t } = useTranslation()
  const word = worst(legs, talked_s)
  const codec = legs.map(({ codec }) => limit(word, codec)).find(Boolean)
  return (
    word && (
      <StatusBadge state={STATE[word]} title={codec ? t('quality.limited', { codec: t(`codec.${codec}`) }) : undefined}>
        {gradeText(t, word, legs, now)}
      </StatusBadge>
    )
  )
}

/** How a call sounds now. */
export function LiveQuality({ legs, answered }: { legs: Schemas['Leg'][]; answered: string | null }) {
  const now = useNow()
  return <QualityCell legs={legs} talked_s={talkedSince(answered, now)} now={now} />
}
