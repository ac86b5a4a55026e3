// The card that first visit and login are on.
import { Center, Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { PRODUCT, usePageTitleAndHelp } from '../kit/Page'
import { HelpButton } from '../kit/help'
import { LanguageMenu, SchemeToggle } from './controls'
import classes from './frame.module.css'

export function Gatehouse({ help, title, text, children }: { help: string; title: string; text?: string; children: ReactNode }) {
  usePageTitleAndHelp(help, title)
  return (
    <div className={classes.gatehouse}>
      <Group justify="flex-end" gap={4} p="xs">
        <LanguageMenu />
        <HelpButton />
        <SchemeToggle />
      </Group>
      <Center component="main" flex={1} p="md">
        <Stack w="100%" maw={400} gap="lg">
          <Group gap="sm" justify="center">
            <img src="/admin/icon.svg" alt="" width={32} height={32} />
            <Text fw={650} size="xl">
              {PRODUCT}
            </Text>
          </Group>
          <Paper withBorder radius="lg" p="xl" className={classes.card}>
            <Stack gap="md">
              <div>
                <Title order={1} size="h2">
                  {title}
                </Title>
                {text && (
                  <Text size="sm" c="dimmed" mt={6}>
                    {text}
                  </Text>
                )}
              </div>
              {children}
            </Stack>
          </Paper>
        </Stack>
      </Center>
    </div>
  )
}
