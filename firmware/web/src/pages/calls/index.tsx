// Calls under way, live.
import { IconPhone, IconPhoneOff } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Call, useCalls, useLine } from '../../api/live'
import type { Column } from '../../kit/DataTable'
import { ListPage } from '../../kit/ListPage'
import { Running, Time } from '../../kit/Time'
import { useEdited } from '../../kit/edited'
import { parts, usePlace } from '../../kit/route'
import { StatusBadge } from '../../kit/small'
import { CallDialog, CallOver } from './CallDialog'
import { hangUp } from './hangUp'
import { interfacesOf, LiveQuality, PartyCell, partyText } from './parties'
import { gradeText, talkedSince, worst } from './quality'
import { STATE } from './state'

export default function Calls() {
  const { t } = useTranslation()
  const query = useCalls()
  const { edited, open, close } = useEdited('calls', query.data)
  const { id } = parts(usePlace().pathname)
  const { exchange } = useLine()
  const [ended, setEnded] = useState<string | null>(null)
  const end = (call: Call) => {
    // The event of its end may be faster than the answer.
    setEnded(String(call.id))
    void hangUp(call, t).then((done) => done || setEnded(null))
  }
  const columns = useMemo<Column<Call>[]>(
    () => [
      {
        id: 'caller',
        title: t('calls.caller'),
        value: ({ caller }) => partyText(caller),
        cell: ({ caller }) => <PartyCell party={caller} />,
        narrow: 'title',
      },
      {
        id: 'called',
        title: t('calls.called'),
        value: ({ called, dialled }) => partyText(called, dialled),
        cell: ({ called, dialled }) => <PartyCell party={called} dialled={dialled} />,
        narrow: 'detail',
      },
      {
        id: 'state',
        title: t('calls.state'),
        value: ({ state }) => t(`call_state.${state}`),
        cell: ({ state }) => <StatusBadge state={STATE[state]}>{t(`call_state.${state}`)}</StatusBadge>,
        width: '9rem',
        narrow: 'side',
      },
      {
        id: 'started',
        title: t('calls.started'),
        value: ({ started }) => Date.parse(started),
        cell: ({ started }) => <Time at={started} as="brief" />,
        width: '8rem',
        figures: true,
      },
      {
        id: 'duration',
        title: t('calls.duration'),
        // The longest last, as the number grows.
        value: ({ started, answered }) => -Date.parse(answered ?? started),
        cell: ({ started, answered }) => <Running since={answered ?? started} />,
        width: '7rem',
        narrow: 'detail',
        figures: true,
      },
      { id: 'interface', title: t('calls.interface'), value: ({ legs }) => interfacesOf(legs), hidden: true },
      {
        id: 'quality',
        title: t('calls.quality'),
        value: ({ legs, answered }) => {
          const word = worst(legs, talkedSince(answered, Date.now()))
          return word && gradeText(t, word, legs, Date.now())
        },
        cell: ({ legs, answered }) => <LiveQuality legs={legs} answered={answered} />,
        width: '9rem',
        narrow: 'side',
      },
    ],
    [t],
  )
  return (
    <ListPage
      id="calls"
      title={t('nav.calls')}
      query={query}
      rowId={({ id }) => id}
      columns={columns}
      sort="started"
      count={(count) => t('calls.count', { count })}
      empty={
        exchange
          ? { icon: IconPhone, title: t('calls.empty'), text: t('calls.empty_text') }
          : { icon: IconPhoneOff, title: t('attention.exchange_unreachable'), text: t('todo.exchange_unreachable') }
      }
      open={({ id }) => open(id)}
      actions={[
        {
          id: 'hang-up',
          label: ({ caller, dialled }) => t('call.hang_up_this', { caller: caller.number, called: dialled }),
          icon: IconPhoneOff,
          danger: true,
          key: 'Delete',
          act: end,
        },
      ]}
    >
      {edited.is === 'row' && <CallDialog call={edited.row} onHangUp={() => end(edited.row)} onClose={close} />}
      {edited.is === 'gone' && <CallOver id={id!} own={id === ended} onClose={close} />}
    </ListPage>
  )
}
