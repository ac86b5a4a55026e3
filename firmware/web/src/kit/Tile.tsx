// One number at a glance: what it is, how much, and what that means; it may lead to where there is more.
import { Paper, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './Tile.module.css'
import { Link } from './route'

export function Tile({ to, title, value, children }: { to?: string; title: string; value: string; children?: ReactNode }) {
  const content = (
    <>
      <Text size="sm" c="dimmed" fw={500} component="div">
        {title}
      </Text>
      <div className={classes.value}>{value}</div>
      <Text size="sm" c="dimmed" component="div" className="figures">
        {children}
      </Text>
    </>
  )
  return to ? (
    <Paper withBorder p="md" component={Link} to={to} className={classes.tile} data-leads>
      {content}
    </Paper>
  ) : (
    <Paper withBorder p="md" className={classes.tile}>
      {content}
    </Paper>
  )
}
