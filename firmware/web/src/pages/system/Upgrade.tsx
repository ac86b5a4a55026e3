// System, Product Upgrade: what is in both slots, and another system for the one that does not run. It is
// tried at the next start, and kept once it has proved itself.
import { Alert, Badge, Button, FileButton, Group, Paper, Progress, Skeleton, Stack, Table, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconHourglass, IconRotateClockwise, IconUpload } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Slots, useSlots, useTold } from '../../api/machine'
import { Problem } from '../../api/problem'
import { useMayWrite } from '../../api/session'
import { upload } from '../../api/upload'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { StatusBadge } from '../../kit/small'
import { Time } from '../../kit/Time'
import { number } from '../../kit/time'
import { useUnsaved } from '../../kit/unsaved'
import { useOrder } from '../health/order'
import { Elsewhere } from './Elsewhere'
import { Tabs } from './Tabs'
import { slotStates } from './slots'

export default function UpgradePage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useSlots()
  return (
    <Page id="upgrade" title={t('nav.system')}>
      <Tabs />
      {data ? (
        <Stack gap="lg" maw="44rem">
          <Installed slots={data} />
          <Upgrade slots={data} />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={refetch} />
      ) : data === null ? (
        <Elsewhere />
      ) : (
        <Skeleton h={320} maw="44rem" />
      )}
    </Page>
  )
}

const BADGE = { runs: 'good', tried: 'busy', next: 'busy', kept: 'quiet', failed: 'bad', unknown: 'quiet' } as const

function Installed({ slots }: { slots: Slots }) {
  const { t } = useTranslation()
  return (
    <Paper component="section" withBorder p="lg" aria-label={t('upgrade.installed')}>
      <Title order={2}>{t('upgrade.installed')}</Title>
      <Text size="sm" c="dimmed">
        {t('upgrade.installed_text')}
      </Text>
      <Table mt="sm" verticalSpacing="sm" fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('upgrade.slot')}</Table.Th>
            <Table.Th>{t('upgrade.version')}</Table.Th>
            <Table.Th>{t('upgrade.state')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {slotStates(slots).map(({ slot, version, state }) => (
            <Table.Tr key={slot}>
              <Table.Td>
                <Badge variant="default" radius="sm">
                  {slot}
                </Badge>
              </Table.Td>
              <Table.Td className="figures">{version ?? '–'}</Table.Td>
              <Table.Td>
                <StatusBadge state={BADGE[state]}>{t(`slot_state.${state}`)}</StatusBadge>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  )
}

function Upgrade({ slots }: { slots: Slots }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const sending = useSending()
  const { state } = slots.upgrade
  const busy = sending.part !== null || state === 'writing'
  return (
    <Paper component="section" withBorder p="lg" aria-label={t('upgrade.another')}>
      <Stack gap="md">
        <div>
          <Title order={2}>{t('upgrade.another')}</Title>
          <Text size="sm" c="dimmed">
            {t('upgrade.another_text')}
          </Text>
        </div>
        {sending.trouble && (
          <Alert color="red" icon={<IconAlertTriangle size={18} />} title={t('upgrade.not_taken')} role="alert">
            {sending.trouble}
          </Alert>
        )}
        {sending.part !== null ? (
          <Far title={t('upgrade.sending')} part={sending.part}>
            {sending.part < 1 && (
              <Button size="xs" variant="default" onClick={sending.stop}>
                {t('action.cancel')}
              </Button>
            )}
          </Far>
        ) : (
          <Outcome slots={slots} />
        )}
        {mayWrite && !busy && state !== 'trying' && (
          <FileButton onChange={(file) => file && void sending.send(file)}>
            {(props) => (
              <Group>
                <Button variant={state === 'ready' ? 'default' : 'filled'} leftSection={<IconUpload size={16} />} {...props}>
                  {t('upgrade.choose')}
                </Button>
              </Group>
            )}
          </FileButton>
        )}
      </Stack>
    </Paper>
  )
}

/** Sends a file, and knows how far it is. */
function useSending() {
  const told = useTold()
  const [part, setPart] = useState<number | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const stop = useRef<AbortController>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  // A page that is left stops what is sent: that is asked first.
  useUnsaved(part !== null, 'file')

  async function send(file: File) {
    stop.current = new AbortController()
    setTrouble(null)
    setPart(0)
    try {
      told.slots(await upload<Slots>('/api/v1/system/upgrade', file, setPart, stop.current.signal))
    } catch (error) {
      const problem = Problem.from(error)
      if (problem.code !== 'cancelled') setTrouble(problem.text())
    } finally {
      setPart(null)
    }
  }
  return { part, trouble, send, stop: () => stop.current?.abort() }
}

/** What the words of the box tell more of. */
const TOLD_MORE: Slots['upgrade']['fault'][] = ['other_board', 'older', 'too_large', 'not_called', 'not_good', 'boot_loader', 'other']

/** What became of the last upgrade, or how far it is. */
function Outcome({ slots: { upgrade } }: { slots: Slots }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const order = useOrder()
  const version = upgrade.version ?? ''
  switch (upgrade.state) {
    case 'none':
      return null
    case 'writing':
      return <Far title={version ? t('upgrade.writing', { version }) : t('upgrade.checking')} part={(upgrade.per_cent ?? 0) / 100} />
    case 'ready':
      return (
        <Alert color="petrol" icon={<IconRotateClockwise size={18} />} title={t('upgrade.ready', { version })}>
          {t('upgrade.ready_text')}
          {mayWrite && (
            <Group mt="sm">
              <Button size="xs" onClick={() => void order('reboot')}>
                {t('upgrade.restart')}
              </Button>
            </Group>
          )}
        </Alert>
      )
    case 'trying':
      return (
        <Alert color="petrol" icon={<IconHourglass size={18} />} title={t('upgrade.trying', { version })}>
          {t('upgrade.trying_text')}
        </Alert>
      )
    case 'done':
      return (
        <Alert color="teal" icon={<IconCircleCheck size={18} />} title={t('upgrade.done', { version })}>
          {t('upgrade.done_text')} {upgrade.at && <Time at={upgrade.at} as="absolute" />}
        </Alert>
      )
    case 'failed':
      return (
        <Alert
          color="red"
          icon={<IconAlertTriangle size={18} />}
          title={version ? t('upgrade.failed', { version }) : t('upgrade.not_taken')}
        >
          <Text size="sm">{version ? t('upgrade.failed_text') : t('upgrade.not_taken_text')}</Text>
          <Text size="sm" fw={600} mt={4}>
            {t(`upgrade_fault.${upgrade.fault ?? 'other'}`)}
          </Text>
          {/* In the words of the box, as in the logs, for who is asked for help. */}
          {TOLD_MORE.includes(upgrade.fault) && (
            <Text size="sm" mt={4} lang="en">
              {upgrade.reason}
            </Text>
          )}
        </Alert>
      )
  }
}

function Far({ title, part, children }: { title: string; part: number; children?: React.ReactNode }) {
  return (
    <Stack gap={6}>
      <Group justify="space-between">
        <Text size="sm" fw={550} role="status">
          {title}
        </Text>
        <Group gap="sm">
          <Text size="sm" className="figures">
            {number(part, { style: 'percent' })}
          </Text>
          {children}
        </Group>
      </Group>
      <Progress value={part * 100} aria-label={title} />
    </Stack>
  )
}
