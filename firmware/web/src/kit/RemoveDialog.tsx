// Asks before something is removed. A list is shown sooner without it.
import { later } from './later'

export const RemoveDialog = later(async () => (await import('./RemoveModal')).RemoveDialog)
