// The box in numbers; each leads to where there is more.
import { Progress, SimpleGrid } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import type { Call } from '../../api/live'
import { Tile } from '../../kit/Tile'
import { bytes, duration, number } from '../../kit/time'

const NONE = '–'

interface Props {
  data: Schemas['Dashboard']
  calls: Call[]
  /** Extensions that can be called. */
  registered: number
  /** Those whose phones have lost their connection. */
  away: number
  /** False where nobody knows what phones do. */
  known: boolean
}

export function Tiles({ data, calls, registered, away, known }: Props) {
  const { t } = useTranslation()
  const { status, extensions, today } = data
  const { disk } = status
  const talking = calls.filter(({ answered }) => answered !== null).length
  const used = disk ? disk.used_bytes / Math.max(1, disk.total_bytes) : 0
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: 'sm', sm: 'md' }}>
      <Tile to="/calls" title={t('dashboard.calls')} value={known ? number(calls.length) : NONE}>
        {known && t('dashboard.talking', { talking: number(talking), waiting: number(calls.length - talking) })}
      </Tile>
      <Tile to="/extensions" title={t('dashboard.phones')} value={known ? number(registered) : NONE}>
        {t('dashboard.of_extensions', { count: extensions.active })}
        {known && away > 0 && ` · ${t('dashboard.reconnecting', { count: away })}`}
      </Tile>
      <Tile to="/call-history?period=today" title={t('dashboard.today')} value={number(today.calls)}>
        {t('dashboard.answered', { answered: number(today.answered), talked: duration(today.talked_s) })}
      </Tile>
      {disk && (
        <Tile title={t('dashboard.disk')} value={number(used, { style: 'percent' })}>
          <Progress
            value={used * 100}
            color={used > 0.98 ? 'red' : used > 0.9 ? 'yellow' : undefined}
            size="sm"
            my={6}
            aria-label={t('dashboard.disk')}
          />
          {t('dashboard.free', { free: bytes(disk.free_bytes), total: bytes(disk.total_bytes) })}
        </Tile>
      )}
    </SimpleGrid>
  )
}
