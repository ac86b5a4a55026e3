// A call while it lasts: who, since when, how it sounds.
import { Button, Group, Modal, Text } from '@mantine/core'
import { IconPhoneOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Call } from '../../api/live'
import { useMayWrite } from '../../api/session'
import { Running, Time } from '../../kit/Time'
import { go } from '../../kit/route'
import { CallModal } from './CallModal'
import { Legs } from './Legs'
import { hangUp } from './hangUp'
import { STATE } from './state'

export function CallDialog({ call, onClose }: { call: Call; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  return (
    <CallModal
      title={t('call.title', { caller: call.caller.number, called: call.dialled })}
      state={{ is: STATE[call.state], text: t(`call_state.${call.state}`) }}
      when={
        <>
          <Text size="sm" c="dimmed" component="div">
            {t('calls.started')} <Time at={call.started} as="brief" />
          </Text>
          <Text size="sm" fw={600} component="div">
            <Running since={call.answered ?? call.started} />
          </Text>
        </>
      }
      actions={
        mayWrite && (
          <Button color="red.8" leftSection={<IconPhoneOff size={16} />} onClick={() => void hangUp(call, t)}>
            {t('call.hang_up')}
          </Button>
        )
      }
      onClose={onClose}
    >
      <Legs legs={call.legs} />
    </CallModal>
  )
}

/** The call that was looked at is over; it goes on in the history. */
export function CallOver({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal opened onClose={onClose} title={t('call.over')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Text size="sm">{t('call.over_text')}</Text>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('action.close')}
        </Button>
        <Button data-autofocus onClick={() => void go(`/call-history/${id}`)}>
          {t('call.in_history')}
        </Button>
      </Group>
    </Modal>
  )
}
