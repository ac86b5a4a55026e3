// The dialog in which a call is looked at, while it lasts and afterwards.
import { Button, Group, Modal, Stack } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { HelpButton } from '../../kit/help'
import { StatusBadge, type State } from '../../kit/small'
import classes from './calls.module.css'

interface Props {
  title: string
  /** How far it is, or how it ended. */
  state?: { is: State; text: string }
  /** When, and how long. */
  when?: ReactNode
  /** Further buttons. */
  actions?: ReactNode
  onClose: () => void
  children: ReactNode
}

export function CallModal({ title, state, when, actions, onClose, children }: Props) {
  const { t } = useTranslation()
  const narrow = useMediaQuery('(max-width: 40em)')
  return (
    <Modal.Root opened onClose={onClose} size="xl" fullScreen={narrow}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header>
          <Modal.Title>{title}</Modal.Title>
          <Group gap={2} wrap="nowrap">
            <HelpButton id="call" />
            <Modal.CloseButton aria-label={t('action.close')} />
          </Group>
        </Modal.Header>
        <Modal.Body>
          <Stack gap="md">
            <Group gap="md" className={classes.state}>
              {state && <StatusBadge state={state.is}>{state.text}</StatusBadge>}
              {when}
            </Group>
            {children}
            <Group justify="flex-end" gap="xs">
              {actions}
              <Button variant="default" onClick={onClose} data-autofocus>
                {t('action.close')}
              </Button>
            </Group>
          </Stack>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
