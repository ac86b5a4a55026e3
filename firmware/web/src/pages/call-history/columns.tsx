// What a list of past calls shows of each.
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Column } from '../../kit/DataTable'
import { Time } from '../../kit/Time'
import { StatusBadge } from '../../kit/small'
import { duration } from '../../kit/time'
import { interfacesOf, PartyCell, partyText, QualityCell } from '../calls/parties'
import type { HistoryCall } from './filter'
import { ending, STATE } from './state'

export function useColumns(): Column<HistoryCall>[] {
  const { t } = useTranslation()
  return useMemo(
    () => [
      {
        id: 'started',
        title: t('calls.started'),
        value: ({ started }) => started,
        cell: ({ started }) => <Time at={started} as="brief" />,
        width: '10rem',
        narrow: 'detail',
        figures: true,
      },
      {
        id: 'caller',
        title: t('calls.caller'),
        value: ({ caller }) => partyText(caller),
        cell: ({ caller }) => <PartyCell party={caller} />,
        narrow: 'title',
      },
      {
        id: 'dialled',
        title: t('calls.called'),
        value: ({ called, dialled }) => partyText(called, dialled),
        cell: ({ called, dialled }) => <PartyCell party={called} dialled={dialled} />,
        narrow: 'detail',
      },
      {
        id: 'disposition',
        title: t('history.result'),
        value: ({ disposition }) => disposition,
        cell: (call) => <StatusBadge state={STATE[ending(call)]}>{t(`disposition.${ending(call)}`)}</StatusBadge>,
        width: '11rem',
        narrow: 'side',
      },
      {
        id: 'duration',
        title: t('calls.duration'),
        value: ({ answered, duration_s }) => answered && duration(duration_s),
        width: '7rem',
        narrow: 'detail',
        figures: true,
      },
      { id: 'interface', title: t('calls.interface'), value: ({ legs }) => interfacesOf(legs), hidden: true, unsorted: true },
      {
        id: 'quality',
        title: t('calls.quality'),
        value: () => null,
        cell: ({ legs, duration_s }) => <QualityCell legs={legs} talked_s={duration_s} />,
        width: '9rem',
        narrow: 'side',
        unsorted: true,
      },
    ],
    [t],
  )
}
