// Both halves of a call: who, with which phone, and how it sounds on the way there and back.
import { Alert, Group, Paper, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { StatusBadge } from '../../kit/small'
import { number } from '../../kit/time'
import { partyText } from './parties'
import { grade, gradeText, isElsewhere, lasting, limit, milliseconds, type Quality, share, silence, STATE, unevenness } from './quality'

type Leg = Schemas['Leg']

interface Props {
  legs: Leg[]
  /** Who was called, though perhaps nobody answered. */
  called: Schemas['Party'] | null
  /** How long after the answer this was measured. */
  talked_s: number
  /** While the call lasts. */
  now?: number
}

export function Legs({ legs, called, talked_s, now = 0 }: Props) {
  const { t } = useTranslation()
  const silent = called !== null && !legs.some(({ side }) => side === 'called')
  return (
    <SimpleGrid cols={{ base: 1, sm: Math.max(1, legs.length + (silent ? 1 : 0)) }} spacing="md">
      {legs.map((leg) => (
        <Paper key={leg.side} withBorder p="md" component="section" aria-label={t(`side.${leg.side}`)}>
          <Stack gap="xs">
            <Group justify="space-between" gap="xs" align="start" wrap="nowrap">
              <div>
                <Text size="xs" c="dimmed">
                  {t(`side.${leg.side}`)}
                </Text>
                <Title order={3}>{partyText(leg.party)}</Title>
              </div>
              <Sounds leg={leg} talked_s={talked_s} now={now} />
            </Group>
            <div>
              <Text size="sm">{leg.interface ? t('calls.by_interface', { name: leg.interface }) : (leg.user_agent ?? t('calls.phone_unknown'))}</Text>
              <Text size="sm" c="dimmed" className="figures">
                {[leg.address, leg.codec && t(`codec.${leg.codec}`), leg.encrypted && t('calls.encrypted')].filter(Boolean).join(' · ')}
              </Text>
            </div>
            {leg.quality ? (
              <>
                {isElsewhere(leg.quality) && (
                  <Alert color="yellow" p="xs">
                    {t('quality.elsewhere')}
                  </Alert>
                )}
                <Numbers quality={leg.quality} silent_s={silence(leg.quality, leg.silent_since, now)} outside={leg.interface !== null} />
              </>
            ) : (
              <Text size="sm" c="dimmed">
                {t('quality.none')}
              </Text>
            )}
          </Stack>
        </Paper>
      ))}
      {silent && (
        <Paper withBorder p="md" component="section" aria-label={t('side.called')}>
          <Stack gap="xs">
            <div>
              <Text size="xs" c="dimmed">
                {t('side.called')}
              </Text>
              <Title order={3}>{partyText(called)}</Title>
            </div>
            <Text size="sm" c="dimmed">
              {t('side.unanswered')}
            </Text>
          </Stack>
        </Paper>
      )}
    </SimpleGrid>
  )
}

function Sounds({ leg, talked_s, now }: { leg: Leg; talked_s: number; now: number }) {
  const { t } = useTranslation()
  const word = grade(leg.quality, talked_s)
  const codec = limit(word, leg.codec)
  return (
    word && (
      <Text size="sm" component="div" ta="end">
        <StatusBadge state={STATE[word]}>{gradeText(t, word, [leg], now)}</StatusBadge>
        {codec && (
          <Text size="xs" c="dimmed">
            {t('quality.limited', { codec: t(`codec.${codec}`) })}
          </Text>
        )}
      </Text>
    )
  )
}

/** What comes from the phone, or from outside, is measured here; what goes there, by the other end, if it says. */
function Numbers({ quality, silent_s, outside }: { quality: Quality; silent_s: number; outside: boolean }) {
  const { t } = useTranslation()
  const { packets_received, packets_sent, packets_lost, packets_discarded, packets_foreign } = quality
  const { remote_lost, remote_jitter_us, round_trip_us, mos_hundredths } = quality
  const untold = t('quality.untold')
  const rows = [
    { name: t('quality.packets'), from: number(packets_received), to: number(packets_sent) },
    {
      name: t('quality.loss'),
      from: share(packets_lost, packets_received),
      to: remote_lost === null ? untold : share(remote_lost, Math.max(0, packets_sent - remote_lost)),
    },
    {
      name: t('quality.jitter'),
      from: unevenness(quality.jitter_us, packets_received),
      to: remote_jitter_us === null ? untold : unevenness(remote_jitter_us, packets_sent),
    },
  ]
  const whole = [
    [t('quality.silence'), silent_s > 0 && lasting(silent_s)],
    [t('quality.delay'), round_trip_us === null ? untold : milliseconds(round_trip_us)],
    [t('quality.late'), packets_discarded > 0 && number(packets_discarded)],
    [t('quality.foreign'), packets_foreign > 0 && number(packets_foreign)],
    [t('quality.mos'), mos_hundredths !== null && number(mos_hundredths / 100, { minimumFractionDigits: 2 })],
  ].filter(([, value]) => value)
  return (
    <Table className="figures" fz="sm" verticalSpacing={4} horizontalSpacing={0} withRowBorders={false}>
      <Table.Thead>
        <Table.Tr>
          <Table.Td />
          <Table.Th fw={500} fz="xs">
            {outside ? t('quality.from_outside') : t('quality.from_phone')}
          </Table.Th>
          <Table.Th fw={500} fz="xs">
            {outside ? t('quality.to_outside') : t('quality.to_phone')}
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ name, from, to }) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400} c="dimmed">
              {name}
            </Table.Th>
            <Table.Td>{from}</Table.Td>
            <Table.Td>{to}</Table.Td>
          </Table.Tr>
        ))}
        {whole.map(([name, value]) => (
          <Table.Tr key={String(name)}>
            <Table.Th scope="row" fw={400} c="dimmed">
              {name}
            </Table.Th>
            <Table.Td colSpan={2}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
