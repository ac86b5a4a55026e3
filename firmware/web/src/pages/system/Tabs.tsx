// The parts of System, each with an address of its own.
import { useTranslation } from 'react-i18next'
import { useMachine } from '../../api/machine'
import { Link, usePlace } from '../../kit/route'
import classes from './system.module.css'

const UPGRADE = '/system/upgrade'
const TABS = [
  { to: '/system', title: 'system.general' },
  { to: '/system/network', title: 'network.title' },
  { to: '/system/time', title: 'time.title' },
  { to: UPGRADE, title: 'upgrade.title' },
] as const

/** Where nobody tells of the machine there is only one part. */
export function Tabs() {
  const { t } = useTranslation()
  const { pathname } = usePlace()
  const machine = useMachine()
  if (machine === 'none') return null
  return (
    <nav className={classes.tabs} aria-label={t('nav.system')}>
      {TABS.filter(({ to }) => machine === 'managed' || to !== UPGRADE).map(({ to, title }) => (
        <Link key={to} to={to} aria-current={to === pathname ? 'page' : undefined}>
          {t(title)}
        </Link>
      ))}
    </nav>
  )
}
