// Which address shows which page. Each page is loaded when it is first gone to.
import { type ComponentType, lazy } from 'react'
import { parts } from '../kit/route'
import { NotFound } from './NotFound'
import { GROUPS } from './navigation'

const PAGES = new Map<string, ComponentType>([
  ...GROUPS.flatMap(({ entries }) => entries.map(({ path, page }) => [path, lazy(page)] as const)),
  ['account', lazy(() => import('../pages/account'))],
])

export function pageAt(pathname: string): ComponentType {
  const { page } = parts(pathname)
  return PAGES.get(page) ?? NotFound
}
