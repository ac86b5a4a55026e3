// What stands at the top right of every page: language, light or dark, account.
import { ActionIcon, Menu, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconLanguage, IconLogout, IconMoon, IconSun, IconUserCircle, IconUserCog } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../api/client'
import { useChooseLanguage, useSession, useSetStart } from '../api/session'
import { LANGUAGES, language } from '../i18n'
import { Link } from '../kit/route'
import { failed } from '../kit/toast'

export function LanguageMenu() {
  const { t } = useTranslation()
  const choose = useChooseLanguage()
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Tooltip label={t('header.language')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('header.language')}>
            <IconLanguage size={20} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
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
      </Menu.Dropdown>
    </Menu>
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
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Tooltip label={t('header.account')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('header.account')}>
            <IconUserCircle size={20} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown miw={200}>
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
      </Menu.Dropdown>
    </Menu>
  )
}
