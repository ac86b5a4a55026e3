// A question with two answers, asked from anywhere: `if (await confirm({…}))`.
import { Button, Group, Modal, Text } from '@mantine/core'
import { useSyncExternalStore } from 'react'

interface Question {
  title: string
  text: string
  yes: string
  no: string
  danger?: boolean
}

let asked: (Question & { answer: (yes: boolean) => void }) | null = null
const watchers = new Set<() => void>()

function set(value: typeof asked) {
  asked = value
  for (const watcher of watchers) watcher()
}

export function confirm(question: Question): Promise<boolean> {
  asked?.answer(false)
  return new Promise((resolve) => {
    set({
      ...question,
      answer: (yes) => {
        set(null)
        resolve(yes)
      },
    })
  })
}

/** Where questions appear; the frame has one. */
export function ConfirmHost() {
  const question = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => asked,
  )
  if (!question) return null
  return (
    <Modal
      opened
      onClose={() => question.answer(false)}
      title={question.title}
      withCloseButton={false}
      size="sm"
      zIndex={400}
      centered
    >
      <Text size="sm">{question.text}</Text>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" data-autofocus onClick={() => question.answer(false)}>
          {question.no}
        </Button>
        <Button color={question.danger ? 'red.8' : undefined} onClick={() => question.answer(true)}>
          {question.yes}
        </Button>
      </Group>
    </Modal>
  )
}
