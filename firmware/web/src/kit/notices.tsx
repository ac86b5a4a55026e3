// Where short messages appear.
import { type NotificationData, Notifications, notifications } from '@mantine/notifications'
import { host } from './host'

export function show(notice: NotificationData) {
  host('notices', <Notifications position="bottom-right" zIndex={500} />)
  notifications.show(notice)
}
