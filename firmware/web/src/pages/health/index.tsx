// System Health: how the machine is, while one looks.
import { Progress, SimpleGrid, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useHealth, useMayAdminister, type Watched } from '../../api/machine'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { Tile } from '../../kit/Tile'
import { bytes, number, span } from '../../kit/time'
import { Elsewhere } from '../system/Elsewhere'
import { Curve } from './Curve'
import { Restart } from './Restart'

const percent = (part: number) => number(part, { style: 'percent' })

export default function HealthPage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useHealth()
  const mayWrite = useMayAdminister()
  return (
    <Page id="health" title={t('nav.health')} note={data?.now.board} actions={data && mayWrite && <Restart />}>
      {data ? (
        <Numbers {...data} />
      ) : error ? (
        <Failed error={error} retry={refetch} />
      ) : data === null ? (
        <Elsewhere />
      ) : (
        <Skeleton h={260} maw={1200} />
      )}
    </Page>
  )
}

function Numbers({ now, samples }: Watched) {
  const { t } = useTranslation()
  const exchange = useQuery({
    queryKey: ['machine', 'status'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/status', { signal })),
    refetchInterval: 60_000,
  }).data?.exchange
  const memory = 1 - now.memory_available_bytes / Math.max(1, now.memory_total_bytes)
  const disk = 1 - now.disk_available_bytes / Math.max(1, now.disk_total_bytes)
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing={{ base: 'sm', sm: 'md' }} maw={1200}>
      <Tile title={t('health.cpu')} value={percent(now.cpu)}>
        <Curve label={t('health.cpu')} values={samples.map(({ cpu }) => cpu)} />
        {t('health.watched')}
      </Tile>
      <Tile title={t('health.memory')} value={percent(memory)}>
        <Curve label={t('health.memory')} values={samples.map(({ memory }) => memory)} />
        {t('dashboard.free', { free: bytes(now.memory_available_bytes), total: bytes(now.memory_total_bytes) })}
      </Tile>
      <Tile title={t('dashboard.disk')} value={percent(disk)}>
        <Progress value={disk * 100} size="sm" my={6} aria-label={t('dashboard.disk')} />
        {t('dashboard.free', { free: bytes(now.disk_available_bytes), total: bytes(now.disk_total_bytes) })}
      </Tile>
      <Tile title={t('health.written')} value={bytes(now.disk_written_hour_bytes)}>
        {t('health.written_text', { all: bytes(now.disk_written_bytes) })}
      </Tile>
      {typeof now.temperature_c === 'number' && (
        <Tile title={t('health.temperature')} value={number(now.temperature_c, { style: 'unit', unit: 'celsius', maximumFractionDigits: 0 })}>
          {t('health.temperature_text')}
        </Tile>
      )}
      <Tile title={t('health.restarts')} value={number(now.restarts)} to="/warning-log">
        {t('health.restarts_text')}
      </Tile>
      <Tile title={t('health.uptime')} value={span(now.uptime_s)}>
        {t('health.uptime_text')}
      </Tile>
      <Tile title={t('health.exchange')} value={exchange ? span(exchange.uptime_s) : '–'}>
        {exchange ? t('health.exchange_text', { version: exchange.version }) : t('attention.exchange_unreachable')}
      </Tile>
    </SimpleGrid>
  )
}
