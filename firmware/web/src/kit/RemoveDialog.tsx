// Asks before something is removed, and says what depends on it.
import { Alert, Button, Group, List, Modal, Stack, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../api/problem'
import { done } from './toast'

interface Props {
  title: string
  text: string
  /** What depends on it, one thing a line. */
  depends?: string[]
  /** A choice of what becomes of that. */
  children?: ReactNode
  remove: () => Promise<unknown>
  /** Reads again what is stored, where somebody else changed it meanwhile. */
  refresh: () => Promise<unknown>
  said: string
  onClose: () => void
}

export function RemoveDialog({ title, text, depends = [], children, remove, refresh, said, onClose }: Props) {
  const { t } = useTranslation()
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  async function act() {
    setBusy(true)
    try {
      await remove()
      done(said)
      onClose()
    } catch (error) {
      const problem = Problem.from(error)
      if (problem.code === 'changed' || problem.code === 'not_found') await refresh()
      setTrouble(Object.values(problem.fields([]))[0] ?? problem.text())
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Stack gap="md">
        {trouble && (
          <Alert color="red" role="alert">
            {trouble}
          </Alert>
        )}
        <Text size="sm">{text}</Text>
        {depends.length > 0 && (
          <List size="sm">
            {depends.map((one) => (
              <List.Item key={one}>{one}</List.Item>
            ))}
          </List>
        )}
        {children}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button color="red.8" loading={busy} onClick={() => void act()}>
            {t('action.remove')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
