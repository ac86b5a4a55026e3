// Rows of a log, what was searched for marked in them.
import { Button, Center, Mark, Text } from '@mantine/core'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { absolute } from '../../kit/time'
import type { Colour } from './highlight'
import classes from './logs.module.css'
import { marked } from './marked'
import type { LogRow } from './useLog'

interface Props {
  label: string
  rows: LogRow[]
  search: string
  colour: (text: string) => Colour | undefined
  /** Reads older rows; nothing where there are none. */
  older?: () => void
  loading: boolean
}

export function Rows({ label, rows, search, colour, older, loading }: Props) {
  const { t } = useTranslation()
  return (
    // It scrolls by itself, so the keyboard has to get there.
    <div className={classes.rows} role="region" aria-label={label} tabIndex={0}>
      <ol>
        {rows.map((row) => (
          <Row key={row.id} row={row} search={search} colour={colour(row.text)} />
        ))}
      </ol>
      <Center p="sm">
        {older ? (
          <Button variant="default" size="xs" onClick={older} loading={loading}>
            {t('log.older')}
          </Button>
        ) : (
          search === '' && (
            <Text size="xs" c="dimmed">
              {t('log.begin')}
            </Text>
          )
        )}
      </Center>
    </div>
  )
}

const Row = memo(function Row({ row, search, colour }: { row: LogRow; search: string; colour?: Colour }) {
  return (
    <li className={classes.row} data-colour={colour}>
      <time dateTime={row.time} title={row.row} className="figures">
        {absolute(row.time)}
      </time>
      {row.author !== undefined && row.author !== null && (
        <span className={classes.who} title={row.host ?? undefined}>
          {row.author}
        </span>
      )}
      <span className={classes.text} lang="en" data-lines={row.text.includes('\n') || undefined}>
        {marked(row.text, search).map(({ text, found }, index) => (found ? <Mark key={index}>{text}</Mark> : text))}
      </span>
      {row.times > 1 && <Series row={row} />}
    </li>
  )
})

/** How often, and since when. */
function Series({ row: { times, first } }: { row: LogRow }) {
  const { t } = useTranslation()
  return (
    <span className={classes.series}>
      {t('log.series', { count: times })} <time dateTime={first}>{absolute(first)}</time>
    </span>
  )
}
