// The parts of System, each with an address of its own.
import { useTranslation } from 'react-i18next'
import { type Kind, useMachine } from '../../api/machine'
import { Link, usePlace } from '../../kit/route'
import classes from './system.module.css'

const SHOWN: Kind[] = ['shown', 'managed']
const TABS = [
  { to: '/system', title: 'system.general' },
  { to: '/system/network', title: 'network.title', machine: SHOWN },
  { to: '/system/time', title: 'time.title', machine: SHOWN },
  { to: '/system/logs', title: 'nav.logs' },
  { to: '/system/remote', title: 'remote.title', machine: ['managed'] },
  { to: '/system/upgrade', title: 'upgrade.title', machine: ['managed'] },
] as const satisfies { to: string; title: string; machine?: readonly Kind[] }[]

/** Of the machine there is what can be asked of it. */
export function Tabs() {
  const { t } = useTranslation()
  const { pathname } = usePlace()
  const machine = useMachine()
  return (
    <nav className={classes.tabs} aria-label={t('nav.system')}>
      {TABS.filter((tab) => !('machine' in tab) || (tab.machine as readonly Kind[]).includes(machine)).map(({ to, title }) => (
        <Link key={to} to={to} aria-current={to === pathname ? 'page' : undefined}>
          {t(title)}
        </Link>
      ))}
    </nav>
  )
}
