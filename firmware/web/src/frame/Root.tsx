// What is shown depends on who is there: the first visitor, somebody unknown, a user without rights
// here, an administrator.
import { Center, Loader } from '@mantine/core'
import { SessionContext, useStart } from '../api/session'
import { Failed } from '../kit/Empty'
import { later } from '../kit/later'
import { Shell } from './Shell'

const FirstVisit = later(async () => (await import('./FirstVisit')).FirstVisit)
const LoginPage = later(async () => (await import('./LoginPage')).LoginPage)

export function Root() {
  const start = useStart()
  if (start.error) {
    return (
      <Center mih="100dvh" p="md">
        <Failed error={start.error} retry={start.refetch} />
      </Center>
    )
  }
  if (!start.data) {
    return (
      <Center mih="100dvh">
        <Loader size="sm" />
      </Center>
    )
  }
  if (start.data.is === 'first-visit') return <FirstVisit account={start.data.account} />
  if (start.data.is === 'logged-out') return <LoginPage />
  const { session } = start.data
  return (
    // Another person gets everything anew.
    <SessionContext.Provider value={session} key={session.user.id}>
      <Shell />
    </SessionContext.Provider>
  )
}
