// Asks before something is removed, and says what depends on it.
import { Alert, Button, Group, List, Modal, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { Problem } from '../api/problem'
import { done } from './toast'

interface Props {
  title: string
  text: string
  /** Asks what depends on it; `key` names what is asked about. */
  depends?: { key: string; ask: () => Promise<{ dependents: Dependent[] }> }
  /** What else has to be known first. */
  needs?: Needed
  /** A choice of what becomes of that. */
  children?: ReactNode
  remove: () => Promise<unknown>
  /** Reads again what is stored, where somebody else changed it meanwhile. */
  refresh: () => Promise<unknown>
  said: string
  onClose: () => void
  removeLabel?: string
  /** There is nothing to remove. */
  nothing?: boolean
}

type Needed = Pick<UseQueryResult, 'data' | 'error' | 'isFetching' | 'refetch'>
type Dependent = Schemas['Dependent']

export function RemoveDialog({ title, text, depends, needs, children, remove, refresh, said, onClose, removeLabel, nothing }: Props) {
  const { t } = useTranslation()
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const dependents = useQuery({
    queryKey: ['config', 'dependents', depends?.key],
    queryFn: async () => (await depends!.ask()).dependents,
    enabled: Boolean(depends),
    gcTime: 0,
  })
  const unknown = [depends && dependents, needs].find((one) => one && one.data === undefined)
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
        {unknown && !unknown.error && <Skeleton h={20} />}
        {unknown?.error && (
          <Alert color="yellow" role="alert">
            <Stack gap="sm" align="flex-start">
              <Text size="sm">{t('remove.unknown', { why: Problem.from(unknown.error).text() })}</Text>
              <Button size="xs" variant="default" loading={unknown.isFetching} onClick={() => void unknown.refetch()}>
                {t('failed.retry')}
              </Button>
            </Stack>
          </Alert>
        )}
        {dependents.data && dependents.data.length > 0 && (
          <div>
            <Text size="sm">{t('remove.depends')}</Text>
            <List size="sm" mt={4}>
              {dependents.data.map(({ kind, id, name }) => (
                <List.Item key={`${kind} ${id} ${name}`}>{t(`remove.${kind}`, { name })}</List.Item>
              ))}
            </List>
          </div>
        )}
        {children}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button color="red.8" disabled={nothing || unknown !== undefined} loading={busy} onClick={() => void act()}>
            {removeLabel ?? t('action.remove')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
