// A question with two answers, asked from anywhere: `if (await confirm({…}))`.
import { host } from './host'

export interface Question {
  title: string
  text: string
  yes: string
  no: string
  danger?: boolean
}

export const loadQuestion = () => import('./QuestionDialog')

let former: ((yes: boolean) => void) | undefined

export async function confirm(question: Question): Promise<boolean> {
  former?.(false)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const answer = (yes: boolean) => {
    if (former === answer) {
      former = undefined
      host('question', null)
    }
    resolve(yes)
  }
  former = answer
  try {
    const { QuestionDialog } = await loadQuestion()
    if (former === answer) host('question', <QuestionDialog question={question} answer={answer} />)
  } catch {
    // The box is away, and its dialog with it.
    answer(window.confirm(question.text))
  }
  return promise
}
