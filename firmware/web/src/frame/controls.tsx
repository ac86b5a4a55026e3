// What stands at the top right of every page: language, light or dark, account.
import { ActionIcon, Menu, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconLanguage, IconLogout, IconMoon, IconSun, IconUserCircle, IconUserCog, type TablerIcon } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../api/client'
import { useChooseLanguage, useSession, useSetStart } from '../api/session'
import { LANGUAGES, language } from '../i18n'
import { Link } from '../kit/route'
import { failed } from '../kit/toast'

function HeaderMenu({ label, icon: Icon, children }: { label: string; icon: TablerIcon; children: ReactNode }) {
  const [opened, setOpened] = useState(false)
  return (
    <Menu position="bottom-end" withinPortal={false} opened={opened} onChange={setOpened}>
      <Menu.Target>
        {/* What the button is called must not cover what it opens. */}
        <Tooltip label={label} disabled={opened}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label}>
            <Icon size={20} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown miw={160}>{children}</Menu.Dropdown>
    </Menu>
  )
}

export function LanguageMenu() {
  const { t } = useTranslation()
  const choose = useChooseLanguage()
  return (
    <HeaderMenu label={t('header.language')} icon={IconLanguage}>
      {LANGUAGES.map((one) => (
        <Menu.Item
          key={one}
          lang={one}
          aria-current={one === language() || undefined}
          fw={one === language() ? 650 : undefined}
          onClick={() => void choose(one)}
        >
          {t(`language.${one}`)}
        </Menu.Item>
      ))}
    </HeaderMenu>
  )
}

export function SchemeToggle() {
  const { t } = useTranslation()
  const { setColorScheme } = useMantineColorScheme()
  const dark = useComputedColorScheme('light') === 'dark'
  const label = dark ? t('header.light') : t('header.dark')
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={label}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={20} stroke={1.6} /> : <IconMoon size={20} stroke={1.6} />}
      </ActionIcon>
    </Tooltip>
  )
}

export function AccountMenu() {
  const { t } = useTranslation()
  const { user } = useSession()
  const setStart = useSetStart()
  async function logOut() {
    try {
      await answer(api.DELETE('/api/v1/session'))
      setStart({ is: 'logged-out' })
    } catch (error) {
      failed(error)
    }
  }
  return (
    <HeaderMenu label={t('header.account')} icon={IconUserCircle}>
      <Menu.Label>
        <Text size="sm" fw={600} c="var(--mantine-color-text)">
          {user.full_name || user.name}
        </Text>
        <Text size="xs">{t(`role.${user.role}`)}</Text>
      </Menu.Label>
      <Menu.Item component={Link} to="/account" leftSection={<IconUserCog size={16} />}>
        {t('header.my_account')}
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void logOut()}>
        {t('header.log_out')}
      </Menu.Item>
    </HeaderMenu>
  )
}
