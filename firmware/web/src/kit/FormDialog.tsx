// A small dialog upon a page or another dialog: a sentence, a few fields, one thing that is done.
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useForm, type UseFormInput, type UseFormReturnType } from '@mantine/form'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useSubmit } from './useSubmit'

interface Props<V extends object> {
  title: string
  text: string
  initial: V
  validate?: UseFormInput<V>['validate']
  fields: (form: UseFormReturnType<V>) => ReactNode
  submitLabel: string
  danger?: boolean
  act: (values: V) => Promise<void>
  onClose: () => void
}

export function FormDialog<V extends object>({ title, text, initial, validate, fields, submitLabel, danger, act, onClose }: Props<V>) {
  const { t } = useTranslation()
  const form = useForm<V>({ initialValues: initial, validate })
  const { submit, busy, trouble } = useSubmit(form, act)
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('action.close') }} zIndex={250}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {trouble && (
            <Alert color="red" role="alert">
              {trouble}
            </Alert>
          )}
          <Text size="sm">{text}</Text>
          {fields(form)}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" color={danger ? 'red.8' : undefined} loading={busy}>
              {submitLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
