// A question with two answers.
import { Button, Group, Modal, Text } from '@mantine/core'
import type { Question } from './confirm'

export function QuestionDialog({ question, answer }: { question: Question; answer: (yes: boolean) => void }) {
  return (
    <Modal opened onClose={() => answer(false)} title={question.title} withCloseButton={false} size="sm" zIndex={400} centered>
      <Text size="sm">{question.text}</Text>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" data-autofocus onClick={() => answer(false)}>
          {question.no}
        </Button>
        <Button color={question.danger ? 'red.8' : undefined} onClick={() => answer(true)}>
          {question.yes}
        </Button>
      </Group>
    </Modal>
  )
}
