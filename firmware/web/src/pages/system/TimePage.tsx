// System, Time: the zone of the box, and who tells it the time.
import { Alert, Button, Group, Skeleton, Text } from '@mantine/core'
import { IconClockCheck, IconClockExclamation } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, tagged } from '../../api/client'
import { type Clock, useClock, useMachine, useMayAdminister, useTold } from '../../api/machine'
import { Problem } from '../../api/problem'
import { EditPage } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { Time, useNow } from '../../kit/Time'
import { choice, NAME, text } from '../../kit/fields'
import { number, tag } from '../../kit/time'
import { done, failed } from '../../kit/toast'
import { Elsewhere, OnlyShown } from './Elsewhere'
import { Tabs } from './Tabs'
import { atFields } from './faults'
import { toTime, toTimeValues, type TimeValues, zones } from './clock'

export default function TimePage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useClock()
  if (data) return <Settings clock={data} />
  return (
    <Page id="time" title={t('nav.system')}>
      <Tabs />
      {error ? <Failed error={error} retry={refetch} /> : data === null ? <Elsewhere /> : <Skeleton h={320} maw="44rem" />}
    </Page>
  )
}

function Settings({ clock }: { clock: Clock }) {
  const { t } = useTranslation()
  const mayWrite = useMayAdminister()
  const told = useTold()
  const { refetch } = useClock()
  const options = useMemo(() => zones(clock.settings.zone).map((zone) => ({ value: zone, label: zone })), [clock.settings.zone])

  async function save(values: TimeValues, etag: string) {
    try {
      told.clock(await tagged(api.PUT('/api/v1/system/time', { params: { header: { 'If-Match': etag } }, body: toTime(values) })))
      return t('time.saved')
    } catch (error) {
      throw atFields(Problem.from(error))
    }
  }

  return (
    <EditPage<TimeValues>
      id="time"
      title={t('nav.system')}
      above={
        <>
          <Tabs />
          <OnlyShown />
        </>
      }
      stored={{ values: toTimeValues(clock.settings), etag: clock.etag }}
      save={save}
      refresh={refetch}
      readOnly={!mayWrite}
      sections={[
        {
          id: 'clock',
          title: t('time.clock'),
          text: <Going clock={clock} />,
          fields: [
            choice<TimeValues, 'zone'>('zone', { label: t('time.zone'), hint: t('time.zone_hint'), options, search: true, width: 320 }),
            text<TimeValues>('servers', { label: t('time.servers'), hint: t('time.servers_hint'), maxLength: 1024, ...NAME }),
          ],
        },
      ]}
    />
  )
}

/** The time of the box as it goes on, and whether it is to be relied on. */
function Going({ clock }: { clock: Clock }) {
  const { t } = useTranslation()
  const { dataUpdatedAt } = useClock()
  const mayWrite = useMayAdminister()
  const told = useTold()
  const [busy, setBusy] = useState(false)
  const machine = useMachine()
  const here = useNow()
  const now = Date.parse(clock.now) + Math.max(0, here - dataUpdatedAt)
  const format = new Intl.DateTimeFormat(tag(), { dateStyle: 'full', timeStyle: 'medium', timeZone: clock.settings.zone, hourCycle: 'h23' })

  async function set() {
    setBusy(true)
    try {
      told.clock(await tagged(api.POST('/api/v1/system/clock', { body: { now: new Date().toISOString() } })))
      done(t('time.set'))
    } catch (error) {
      failed(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <Text fz="lg" c="var(--mantine-color-text)" fw={600} my="xs" className="figures">
        {format.format(now)}
      </Text>
      {machine === 'shown' ? null : clock.synchronised ? (
        <Group gap={6} wrap="nowrap">
          <IconClockCheck size={16} style={{ flexShrink: 0 }} aria-hidden />
          <span>
            {t('time.told')} <Time at={clock.synchronised} />
            {typeof clock.offset_ms === 'number' && ` · ${t('time.offset', { ms: number(clock.offset_ms) })}`}
          </span>
        </Group>
      ) : (
        <Alert color="yellow" icon={<IconClockExclamation size={18} />} mt="xs">
          {clock.settings.servers?.length ? t('time.unheard') : t('time.by_hand')}
          {mayWrite && (
            <Group mt="sm">
              <Button size="xs" variant="default" loading={busy} onClick={() => void set()}>
                {t('time.take')}
              </Button>
            </Group>
          )}
        </Alert>
      )}
    </>
  )
}
