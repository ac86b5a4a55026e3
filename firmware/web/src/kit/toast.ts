// Short messages that come and go.
import type { NotificationData } from '@mantine/notifications'
import i18next from 'i18next'
import { Problem } from '../api/problem'

export const loadNotices = () => import('./notices')

const show = (notice: NotificationData) => void loadNotices().then((notices) => notices.show(notice), () => undefined)
const closing = () => ({ 'aria-label': i18next.t('action.close') })

export function done(message: string) {
  show({ message, color: 'teal', withBorder: true, autoClose: 4000, closeButtonProps: closing() })
}

/** Tells what went wrong; what somebody called off isn't worth a word. */
export function failed(error: unknown) {
  const problem = Problem.from(error)
  if (problem.code === 'cancelled') return
  const rest = Object.values(problem.fields([]))
  show({
    message: rest[0] ?? problem.text(),
    color: 'red',
    withBorder: true,
    autoClose: 10_000,
    role: 'alert',
    closeButtonProps: closing(),
  })
}
