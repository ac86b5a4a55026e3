// An administrator ends a call, once sure.
import type { TFunction } from 'i18next'
import { answer, api } from '../../api/client'
import type { Call } from '../../api/live'
import { Problem } from '../../api/problem'
import { confirm } from '../../kit/confirm'
import { failed } from '../../kit/toast'
import { partyText } from './parties'

/** Returns whether they did. */
export async function hangUp(call: Call, t: TFunction): Promise<boolean> {
  const sure = await confirm({
    title: t('call.hang_up_ask'),
    text: t('call.hang_up_text', { caller: partyText(call.caller), called: partyText(call.called, call.dialled) }),
    yes: t('call.hang_up'),
    no: call.answered === null ? t('call.let_ring') : t('call.let_talk'),
    danger: true,
  })
  if (!sure) return false
  // The list tells when it is over; where it was over sooner, so much the better.
  try {
    await answer(api.DELETE('/api/v1/calls/{id}', { params: { path: { id: call.id } } }))
    return true
  } catch (error) {
    if (Problem.from(error).code !== 'not_found') failed(error)
    return false
  }
}
