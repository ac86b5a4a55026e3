// The phones of an extension: where they are, and why one that should be here is not.
import { Alert, Group, Paper, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Extension } from '../../api/configuration'
import { type Registration, useFailedLogins, useLastPhone, useLine, useRegistrations } from '../../api/live'
import { StatusBadge } from '../../kit/small'
import { Time } from '../../kit/Time'

export function Phones({ extension: { id } }: { extension: Extension }) {
  const { t } = useTranslation()
  const { exchange } = useLine()
  const phones = useRegistrations().data?.filter(({ extension }) => extension === id) ?? []
  const failed = useFailedLogins().data?.extensions.find(({ extension }) => extension === id)
  if (!exchange) return <Text size="sm">{t('phones.unknown')}</Text>
  return (
    <Stack gap="sm">
      {phones.length === 0 && <NoPhone extension={id} />}
      {phones.map((phone) => (
        <Phone key={phone.contact} phone={phone} />
      ))}
      {failed && (
        <Alert
          color={phones.length === 0 ? 'yellow' : 'gray'}
          icon={<IconAlertTriangle size={18} />}
          title={t(`failed_login.${failed.reason}`, { host: failed.host })}
        >
          <Time at={failed.time} as="absolute" />. {t(`failed_login_todo.${failed.reason}`)}
        </Alert>
      )}
    </Stack>
  )
}

function NoPhone({ extension }: { extension: number }) {
  const { t } = useTranslation()
  const last = useLastPhone(extension).data
  return (
    <>
      <Text size="sm">{t('phones.none')}</Text>
      {last && (
        <Text size="sm" c="dimmed">
          {t('phones.last', {
            phone: last.user_agent ?? t('calls.phone_unknown'),
            address: last.address,
            transport: last.transport.toUpperCase(),
          })}{' '}
          <Time at={last.until} as="brief" />. {t(last.left ? 'phones.last_left' : 'phones.last_silent')}
        </Text>
      )}
    </>
  )
}

function Phone({ phone: { user_agent, address, transport, expires, reachable, unresponsive_since } }: { phone: Registration }) {
  const { t } = useTranslation()
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" gap="xs" align="start" wrap="nowrap">
        <Text fw={550}>{user_agent ?? t('calls.phone_unknown')}</Text>
        {!reachable ? (
          <StatusBadge state="warn">{t('extensions.reconnecting')}</StatusBadge>
        ) : unresponsive_since !== null ? (
          <StatusBadge state="warn">{t('extensions.not_responding')}</StatusBadge>
        ) : (
          <StatusBadge state="good">{t('extensions.registered')}</StatusBadge>
        )}
      </Group>
      <Text size="sm" c="dimmed" className="figures">
        {address} · {transport.toUpperCase()}
      </Text>
      <Text size="sm" c="dimmed">
        {t('phones.ends')} <Time at={expires} />
      </Text>
      {unresponsive_since !== null && (
        <Text size="sm" mt={4}>
          {t('phones.silent_since')} <Time at={unresponsive_since} as="brief" />. {t('phones.silent')}
        </Text>
      )}
      {!reachable && (
        <Text size="sm" mt={4}>
          {t('phones.away')}
        </Text>
      )}
    </Paper>
  )
}
