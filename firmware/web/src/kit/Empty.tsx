// What stands where there is nothing to show, and what to do about it.
import { Alert, Button, Center, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import type { TablerIcon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../api/problem'

/** What a list shows before anything is in it. */
interface Props {
  icon: TablerIcon
  title: string
  text: string
  action?: ReactNode
  /** 1 where it is all there is on the page. */
  heading?: 1 | 2
}

export function Empty({ icon: Icon, title, text, action, heading }: Props) {
  return (
    <Center flex={1} mih={heading === 1 ? 'calc(100dvh - 120px)' : undefined} py="xl">
      <Stack align="center" gap="sm" maw={440} ta="center">
        <ThemeIcon variant="light" size={64} radius="xl">
          <Icon size={32} stroke={1.4} />
        </ThemeIcon>
        <Title order={heading ?? 2} size="h2">
          {title}
        </Title>
        <Text c="dimmed">{text}</Text>
        {action}
      </Stack>
    </Center>
  )
}

/** What a page shows where its data can't be read. */
export function Failed({ error, retry }: { error: unknown; retry: () => unknown }) {
  const { t } = useTranslation()
  return (
    <Alert color="red" title={t('failed.title')} role="alert">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{Problem.from(error).text()}</Text>
        <Button size="xs" variant="default" onClick={() => void retry()}>
          {t('failed.retry')}
        </Button>
      </Stack>
    </Alert>
  )
}
