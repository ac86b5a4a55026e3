// A call that is over: both legs, how it sounded, how it ended and by whom.
import { Alert, Center, Loader, Text } from '@mantine/core'
import i18next from 'i18next'
import { useTranslation } from 'react-i18next'
import { Problem } from '../../api/problem'
import { Failed } from '../../kit/Empty'
import { Gone } from '../../kit/Gone'
import { Time } from '../../kit/Time'
import { Link } from '../../kit/route'
import { duration } from '../../kit/time'
import { CallModal } from '../calls/CallModal'
import { Legs } from '../calls/Legs'
import { mute } from '../calls/quality'
import { type HistoryCall, useHistoryCall } from './filter'
import { ending, STATE, wayOf } from './state'

export function HistoryDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: call, error, refetch } = useHistoryCall(id)
  if (error && Problem.from(error).code === 'not_found') return <Gone onClose={onClose} />
  return (
    <CallModal
      title={call ? t('call.title', { caller: call.caller.number, called: call.dialled }) : t('history.call')}
      state={call && { is: STATE[ending(call)], text: t(`disposition.${ending(call)}`) }}
      when={
        call && (
          <>
            <Text size="sm" c="dimmed" component="div">
              <Time at={call.started} as="absolute" />
            </Text>
            {call.answered && (
              <Text size="sm" c="dimmed" className="figures">
                {t('history.talked', { duration: duration(call.duration_s) })}
              </Text>
            )}
          </>
        )
      }
      onClose={onClose}
    >
      {error ? (
        <Failed error={error} retry={refetch} />
      ) : call ? (
        <Details call={call} />
      ) : (
        <Center mih={240}>
          <Loader size="sm" />
        </Center>
      )}
    </CallModal>
  )
}

function Details({ call }: { call: HistoryCall }) {
  const { t } = useTranslation()
  return (
    <>
      <Alert color="gray" title={howItEnded(call)}>
        {t('history.cause', { cause: call.cause, text: causeText(call) })}
        {call.forwarded_from && <Text size="sm">{t('history.forwarded', { number: call.forwarded_from.number })}</Text>}
        {call.shown_outside !== null && (
          <Text size="sm">{call.shown_outside === '' ? t('history.hidden') : t('history.shown', { number: call.shown_outside })}</Text>
        )}
        {call.transferred_from !== null && (
          <>
            {' '}
            <Link to={`/call-history/${call.transferred_from}`}>{t('history.transferred')}</Link>
          </>
        )}
      </Alert>
      {call.legs.length > 0 && <Legs legs={call.legs} called={call.called} talked_s={call.duration_s} />}
    </>
  )
}

/** Causes of phones that were there and did not answer (Q.850). */
const NO_RESPONSE = [18, 102]

/** Network out of order (Q.850): no interface could take the call. */
const NO_WAY = 38

/** As somebody would tell it. */
export function howItEnded({ brake, disposition, called, cause, ended_by, administrator, dialled, legs, duration_s }: HistoryCall): string {
  const t = i18next.t
  if (brake) return t(disposition === 'answered' ? 'ended.braked_over' : 'ended.braked', { why: t(`brake.${brake}`) })
  const lost = ended_by === 'exchange' ? legs.find(({ stopped_responding }) => stopped_responding) : undefined
  if (disposition === 'answered' && lost) return t('ended.lost', { number: lost.party.number })
  if (disposition === 'unreachable' && NO_RESPONSE.includes(cause) && typeof called?.extension === 'number') return t('ended.no_response', { dialled })
  if (disposition === 'answered' && mute(legs, duration_s)) return t(`ended_mute.${ended_by}`, { administrator })
  if (disposition === 'answered') return t(`ended_by.${ended_by}`, { administrator })
  if (ended_by === 'administrator') return t('ended.administrator', { administrator })
  const way = wayOf(legs)
  if (disposition === 'unreachable' && way) return t('ended.unreachable_outside', { interface: way })
  if (disposition === 'failed' && cause === NO_WAY && !way) return t('ended.no_way')
  return t(`ended.${disposition}`, { dialled })
}

/** Causes that tell more than how it ended are told in the reader's language. */
function causeText({ cause, cause_text }: HistoryCall): string {
  const key = `cause.${cause}`
  return i18next.exists(key) ? i18next.t(key as 'cause.16') : cause_text
}
