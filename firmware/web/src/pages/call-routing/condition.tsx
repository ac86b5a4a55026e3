// How an interface is, in words, and what to do about it.
import { Alert, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { Interface } from '../../api/configuration'
import { type State, StatusBadge } from '../../kit/small'

type Told = Pick<Interface, 'condition' | 'refused_with'>

const STATE: Record<NonNullable<Interface['condition']>, State> = {
  ready: 'good', disabled: 'quiet', not_found: 'bad', registering: 'busy', not_registered: 'bad',
}

export function conditionText({ condition, refused_with }: Told, t: TFunction): string {
  if (!condition) return t('condition.unknown')
  if (condition === 'not_registered' && refused_with) return t('condition.refused', { status: refused_with })
  return t(`condition.${condition}`)
}

export function Condition({ of }: { of: Told }) {
  const { t } = useTranslation()
  return <StatusBadge state={of.condition ? STATE[of.condition] : 'quiet'}>{conditionText(of, t)}</StatusBadge>
}

/** What the answer of the server tells. */
function advice({ condition, refused_with }: Told) {
  if (condition === 'not_found') return 'not_found'
  if (condition !== 'not_registered') return null
  if (!refused_with) return 'silent'
  if ([401, 403, 407].includes(refused_with)) return 'credentials'
  return refused_with === 404 ? 'no_user' : 'other'
}

/** How it is, as its dialog tells it. */
export function Details({ of }: { of: Interface }) {
  const { t } = useTranslation()
  const todo = advice(of)
  return (
    <>
      <Text size="sm" component="div">
        <Condition of={of} />{' '}
        <Text span inherit c="dimmed" className="figures">
          {[of.address, of.calls ? t('calls.count', { count: of.calls }) : ''].filter(Boolean).join(' · ')}
        </Text>
      </Text>
      {todo && (
        <Alert color="yellow" icon={<IconAlertTriangle size={18} />}>
          {t(`condition_todo.${todo}`, { status: of.refused_with ?? '' })}
        </Alert>
      )}
    </>
  )
}
