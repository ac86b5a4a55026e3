// Orders to the whole machine, each once somebody is sure: they end calls.
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useCalls } from '../../api/live'
import { confirm } from '../../kit/confirm'
import { done, failed } from '../../kit/toast'

export type Order = 'restart_exchange' | 'reboot' | 'power_off'

const SENT = {
  restart_exchange: () => api.POST('/api/v1/system/restart-exchange'),
  reboot: () => api.POST('/api/v1/system/reboot'),
  power_off: () => api.POST('/api/v1/system/power-off'),
}

export function useOrder() {
  const { t } = useTranslation()
  const { data: calls = [] } = useCalls()
  return async (order: Order) => {
    const sure = await confirm({
      title: t(`order.${order}`),
      text: [t(`order.${order}_text`), calls.length > 0 && t('order.calls', { count: calls.length })].filter(Boolean).join(' '),
      yes: t(`order.${order}_yes`),
      no: t('action.cancel'),
      danger: true,
    })
    if (!sure) return
    try {
      await answer(SENT[order]())
      done(t(`order.${order}_done`))
    } catch (error) {
      failed(error)
    }
  }
}
