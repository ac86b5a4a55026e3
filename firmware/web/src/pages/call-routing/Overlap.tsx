// Warns where an extension and a route want the same numbers; both may stay so.
import { Alert } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type Extension, useInterfaces, useRoutes } from '../../api/configuration'
import { extensionsUnder, nameOf, routeOver } from './overlap'

/** As many are named; the rest is counted. */
const NAMED = 5

function Warning({ children }: { children: string }) {
  return (
    <Alert color="yellow" mt="xs" p="xs" role="status">
      {children}
    </Alert>
  )
}

/** Below the number of an extension. */
export function NumberOverlap({ number }: { number: string }) {
  const { t } = useTranslation()
  const routes = useRoutes()
  const interfaces = useInterfaces()
  const route = routeOver(number.trim(), routes.data ?? [])
  if (!route) return null
  return <Warning>{t('overlap.number', { number, prefix: route.prefix, name: nameOf(route, interfaces.data ?? []) })}</Warning>
}

/** Below the prefix of a route. */
export function PrefixOverlap({ prefix, extensions }: { prefix: string; extensions: Extension[] }) {
  const { t } = useTranslation()
  const under = extensionsUnder(prefix.trim(), extensions)
  if (under.length === 0) return null
  const numbers = under.slice(0, NAMED).join(', ') + (under.length > NAMED ? ' …' : '')
  return <Warning>{t('overlap.prefix', { count: under.length, numbers })}</Warning>
}
