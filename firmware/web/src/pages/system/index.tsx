// System: settings of the whole exchange, and of the machine under it.
import { lazy, Suspense } from 'react'
import { NotFound } from '../../frame/NotFound'
import { parts, usePlace } from '../../kit/route'
import { GeneralSettings } from './General'

const Network = lazy(() => import('./Network'))
const Logs = lazy(() => import('./Logs'))
const TimePage = lazy(() => import('./TimePage'))
const Remote = lazy(() => import('./Remote'))
const Upgrade = lazy(() => import('./Upgrade'))

export default function System() {
  const { id } = parts(usePlace().pathname)
  if (id === undefined) return <GeneralSettings />
  if (id === 'network') return <Suspense children={<Network />} />
  if (id === 'logs') return <Suspense children={<Logs />} />
  if (id === 'time') return <Suspense children={<TimePage />} />
  if (id === 'remote') return <Suspense children={<Remote />} />
  if (id === 'upgrade') return <Suspense children={<Upgrade />} />
  return <NotFound />
}
