// The frame around every page: navigation, header, the line to the box.
import { Alert, AppShell, Burger, Group, NavLink, ScrollArea, Text } from '@mantine/core'
import { useDisclosure, useElementSize } from '@mantine/hooks'
import { IconAlertTriangle, IconLock, IconPhoneOff, IconPlugConnectedX } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { createElement, Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { listen, useLine } from '../api/live'
import { useMachine } from '../api/machine'
import { useMayWrite, useSession } from '../api/session'
import { HelpButton } from '../kit/help'
import { Empty } from '../kit/Empty'
import { PRODUCT } from '../kit/Page'
import { go, Link, parts, usePlace } from '../kit/route'
import { UnsavedGuard } from '../kit/unsaved'
import { CatchCrash } from './Crash'
import { LogInAgain } from './LogInAgain'
import { AccountMenu, LanguageMenu, SchemeToggle } from './controls'
import classes from './frame.module.css'
import { GROUPS, START } from './navigation'
import { pageAt } from './pages'

export function Shell() {
  const { t } = useTranslation()
  const { user } = useSession()
  const client = useQueryClient()
  const { pathname } = usePlace()
  const [opened, { toggle, close }] = useDisclosure()
  const sees = user.role !== 'user'
  useEffect(() => (sees ? listen(client) : undefined), [client, sees])
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 228, breakpoint: 'sm', collapsed: { mobile: !opened, desktop: !sees } }}
    >
      <a href="#main" className={classes.skip}>
        {t('header.skip')}
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="sm" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            {sees && <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('header.navigation')} />}
            <Link to="/" className={classes.brand}>
              <img src="/admin/icon.svg" alt="" width={24} height={24} />
              <Text fw={650} component="span">
                {PRODUCT}
              </Text>
            </Link>
          </Group>
          <Group gap={2} wrap="nowrap">
            <LanguageMenu />
            <HelpButton />
            <SchemeToggle />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      {sees && <Navigation onGo={close} />}
      <AppShell.Main id="main" className={classes.main}>
        <Notices />
        {sees || pathname === '/account' ? (
          <CatchCrash key={parts(pathname).page}>
            <Suspense>
              <CurrentPage pathname={pathname} />
            </Suspense>
          </CatchCrash>
        ) : (
          <Empty heading={1} icon={IconLock} title={t('no_rights.title')} text={t('no_rights.text')} />
        )}
      </AppShell.Main>
      <UnsavedGuard />
      <LogInAgain />
    </AppShell>
  )
}

function Navigation({ onGo }: { onGo: () => void }) {
  const { t } = useTranslation()
  const here = parts(usePlace().pathname).page
  const machine = useMachine()
  return (
    <AppShell.Navbar className={classes.navbar} aria-label={t('header.navigation')}>
      <ScrollArea flex={1} type="auto" p="xs">
        {GROUPS.map(({ title, entries }) => (
          <section key={title} className={classes.group} aria-label={t(title)}>
            <Text size="xs" fw={600} c="dimmed" px="sm" pb={4} aria-hidden>
              {t(title)}
            </Text>
            {entries.filter((entry) => !entry.machine || machine !== 'none').map(({ path, title, icon: Icon }) => (
              <NavLink
                key={path}
                component={Link}
                to={`/${path}`}
                label={t(title)}
                active={path === here}
                aria-current={path === here ? 'page' : undefined}
                leftSection={<Icon size={18} stroke={1.6} />}
                className={classes.entry}
                onClick={onGo}
              />
            ))}
          </section>
        ))}
      </ScrollArea>
    </AppShell.Navbar>
  )
}

function CurrentPage({ pathname }: { pathname: string }) {
  const start = pathname === '/'
  useEffect(() => {
    if (start) void go(`/${START.path}`, { replace: true })
  }, [start])
  return start ? null : createElement(pageAt(pathname))
}

/** What everybody on any page has to know. */
function Notices() {
  const { t } = useTranslation()
  const line = useLine()
  const mayWrite = useMayWrite()
  const { user } = useSession()
  const lines = [
    line.state === 'lost' && { icon: IconPlugConnectedX, color: 'red', text: t('notice.lost') },
    line.state === 'open' && !line.exchange && { icon: IconPhoneOff, color: 'yellow', text: t('notice.exchange') },
    line.state === 'open' && line.exchange && line.behind && { icon: IconAlertTriangle, color: 'yellow', text: t('notice.behind') },
    !mayWrite && user.role === 'read_only' && { icon: IconLock, color: 'gray', text: t('notice.read_only') },
  ].filter((notice) => notice !== false)
  // Pages as high as the window have that much less.
  const { ref, height } = useElementSize()
  useEffect(() => {
    document.documentElement.style.setProperty('--notice-height', `${height}px`)
  }, [height])
  return (
    <div ref={ref}>
      {lines.map(({ icon: Icon, color, text }) => (
        <Alert key={text} color={color} radius={0} className={classes.notice} icon={<Icon size={16} />} role="status">
          {text}
        </Alert>
      ))}
    </div>
  )
}
