// A call while it lasts: who, since when, how it sounds.
import { Button, Group, Modal, Text } from '@mantine/core'
import { IconPhoneOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Call } from '../../api/live'
import { useMayWrite } from '../../api/session'
import { Running, Time, useNow } from '../../kit/Time'
import { go } from '../../kit/route'
import { CallModal } from './CallModal'
import { Legs } from './Legs'
import { talkedSince } from './quality'
import { STATE } from './state'

export function CallDialog({ call, onHangUp, onClose }: { call: Call; onHangUp: () => void; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const now = useNow()
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
          <Button color="red.8" leftSection={<IconPhoneOff size={16} />} onClick={onHangUp}>
            {t('call.hang_up')}
          </Button>
        )
      }
      onClose={onClose}
    >
      <Legs legs={call.legs} called={call.called} talked_s={talkedSince(call.answered, now)} now={now} />
    </CallModal>
  )
}

/** The call that was looked at is over; it goes on in the history. `own`: it was ended here. */
export function CallOver({ id, own, onClose }: { id: string; own: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal opened onClose={onClose} title={own ? t('call.ended') : t('call.over')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Text size="sm">{own ? t('call.ended_text') : t('call.over_text')}</Text>
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
