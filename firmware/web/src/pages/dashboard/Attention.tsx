// What needs attention: what it is, what to do, and where.
import { Group, Paper, Text, ThemeIcon, Title, VisuallyHidden } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconExclamationCircle, IconInfoCircle } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { Link } from '../../kit/route'
import { Time } from '../../kit/Time'
import classes from './dashboard.module.css'

type Item = Schemas['Attention']

const ICON = { error: IconExclamationCircle, warning: IconAlertTriangle, info: IconInfoCircle }
const COLOUR = { error: 'red', warning: 'yellow', info: 'gray' }
const SHOWN = 8
/** Where what concerns the whole box is put right. */
const PLACE: Partial<Record<Item['code'], string>> = {
  exchange_unreachable: '/error-log',
  config_not_in_force: '/error-log',
  exchange_restarted: '/warning-log',
  administration_restarted: '/warning-log',
  disk_full: '/call-history',
  disk_nearly_full: '/call-history',
  no_extensions: '/extensions/new',
  no_way_to_help: '/emergency-numbers',
  help_not_ready: '/emergency-numbers',
  no_emergency_numbers: '/emergency-numbers',
  unknown_login: '/security-log',
  fraud_limit_reached: '/fraud-protection',
}
const LIST = { user: '/users', extension: '/extensions', phone: '/extensions', interface: '/call-routing', route: '/call-routing' }

/** `quiet`: where all is well there is nothing to say. */
export function Attention({ items, quiet }: { items: Item[]; quiet: boolean }) {
  const { t } = useTranslation()
  if (items.length === 0 && quiet) return null
  return (
    <Paper withBorder component="section" aria-labelledby="attention">
      <Title order={2} id="attention" className={classes.heading}>
        {t('dashboard.attention')}
      </Title>
      {items.length === 0 ? (
        <Group gap="sm" className={classes.item}>
          <ThemeIcon variant="light" color="teal" radius="xl">
            <IconCircleCheck size={18} stroke={1.6} />
          </ThemeIcon>
          <Text>{t('dashboard.well')}</Text>
        </Group>
      ) : (
        <ul className={classes.items}>
          {items.map((item) => (
            <One key={item.code} item={item} />
          ))}
        </ul>
      )}
    </Paper>
  )
}

function One({ item }: { item: Item }) {
  const { t } = useTranslation()
  const { code, severity, total, objects, time } = item
  const Icon = ICON[severity]
  const place = PLACE[code]
  const more = total - Math.min(SHOWN, objects.length)
  return (
    <li className={classes.item}>
      <ThemeIcon variant="light" color={COLOUR[severity]} radius="xl">
        <Icon size={18} stroke={1.6} aria-hidden />
      </ThemeIcon>
      <div>
        <Text fw={550}>
          <VisuallyHidden>{t(`severity.${severity}`)}: </VisuallyHidden>
          {t(`attention.${code}`, { count: total })}
        </Text>
        <Text size="sm" c="dimmed">
          {time !== null && (
            <>
              <Time at={time} as="absolute" />.{' '}
            </>
          )}
          {t(`todo.${code}`)}
        </Text>
        {objects.length > 0 && (
          <Group gap={6} mt={6}>
            {objects.slice(0, SHOWN).map((object) => (
              <Thing key={`${object.kind} ${object.id ?? object.name}`} object={object} />
            ))}
            {more > 0 && (
              <Link to={objects[0]?.kind ? LIST[objects[0].kind] : '/security-log'} className={classes.link}>
                {t('dashboard.more', { count: more })}
              </Link>
            )}
          </Group>
        )}
        {place && (
          <Link to={place} className={classes.link}>
            {t('dashboard.go')}
          </Link>
        )}
      </div>
    </li>
  )
}

/** What it is about, and where and when that was, where it does not last. */
function Thing({ object: { kind, id, name, host, time } }: { object: Item['objects'][number] }) {
  const text = (
    <>
      <b>{name}</b>
      {host && ` · ${host}`}
      {time && (
        <>
          {' · '}
          <Time at={time} />
        </>
      )}
    </>
  )
  if (!kind) return <span className={classes.object}>{text}</span>
  return (
    <Link to={`${LIST[kind]}/${id}`} className={classes.object}>
      {text}
    </Link>
  )
}
