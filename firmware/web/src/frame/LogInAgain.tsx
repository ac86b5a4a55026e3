// The session ended: the same person logs in again, upon whatever they were doing.
import { useEffect, useRef, useState } from 'react'
import { onSessionEnd } from '../api/client'
import { Problem } from '../api/problem'
import { useSetStart } from '../api/session'
import { later } from '../kit/later'

export const loadLogIn = () => import('./LogInAgainDialog')
const LogInAgainDialog = later(async () => (await loadLogIn()).LogInAgainDialog)

export function LogInAgain() {
  const setStart = useSetStart()
  const wait = useRef<PromiseWithResolvers<unknown> | null>(null)
  const [opened, setOpened] = useState(false)

  useEffect(() => {
    onSessionEnd(() => {
      wait.current ??= Promise.withResolvers<unknown>()
      setOpened(true)
      return wait.current.promise
    })
    return () => onSessionEnd(undefined)
  }, [])

  function giveUp() {
    wait.current?.reject(new Problem({ code: 'cancelled' }))
    wait.current = null
    setStart({ is: 'logged-out' })
  }

  if (!opened) return null
  return (
    <LogInAgainDialog
      onDone={(session) => {
        setOpened(false)
        setStart({ is: 'logged-in', session })
        wait.current?.resolve(undefined)
        wait.current = null
      }}
      onGiveUp={giveUp}
    />
  )
}
