// A network that is tried: it goes back by itself unless somebody keeps it.
import { Alert, Anchor, Button, Group, Text } from '@mantine/core'
import { IconClockPause } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, tagged } from '../../api/client'
import { type Network, useNetwork, useTold } from '../../api/machine'
import { useMayWrite } from '../../api/session'
import { useNow } from '../../kit/Time'
import { duration } from '../../kit/time'
import { done, failed } from '../../kit/toast'
import classes from './system.module.css'
import type { Ways } from './network'

export function Trial({ network }: { network: Network }) {
  const { t } = useTranslation()
  const told = useTold()
  const mayWrite = useMayWrite()
  const { dataUpdatedAt } = useNetwork()
  const now = useNow()
  const [busy, setBusy] = useState(false)
  if (typeof network.confirm_within_s !== 'number') return null
  const left = Math.max(0, network.confirm_within_s - Math.max(0, now - dataUpdatedAt) / 1000)

  async function send(keep: boolean) {
    setBusy(true)
    try {
      told.network(await tagged(keep ? api.POST('/api/v1/system/network/confirm') : api.POST('/api/v1/system/network/revert')))
      done(t(keep ? 'network.kept' : 'network.reverted'))
    } catch (error) {
      failed(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Alert color="yellow" icon={<IconClockPause size={18} />} title={t('network.tried')} role="status" maw="44rem">
      <Text size="sm">
        {t('network.tried_text')}{' '}
        <Text span fw={600} className="figures">
          {t('network.left', { left: duration(left) })}
        </Text>
      </Text>
      {mayWrite && (
        <Group gap="xs" mt="sm">
          <Button size="xs" loading={busy} onClick={() => void send(true)}>
            {t('network.keep')}
          </Button>
          <Button size="xs" variant="default" disabled={busy} onClick={() => void send(false)}>
            {t('network.revert')}
          </Button>
        </Group>
      )}
    </Alert>
  )
}

/** Where the box is now. */
export function WayList({ ways: { links, leased } }: { ways: Ways }) {
  const { t } = useTranslation()
  return (
    <ul className={classes.ways}>
      {links.map((link) => (
        <li key={link}>
          <Anchor href={link} size="sm">
            {link}
          </Anchor>
        </li>
      ))}
      {leased && <li>{t('network.leased_text')}</li>}
    </ul>
  )
}
