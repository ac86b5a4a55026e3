// Passwords that are typed: one, a new one twice, and the button that leads to another one.
import { Alert, Button, Group, Input, PasswordInput, type PasswordInputProps, Text } from '@mantine/core'
import type { UseFormReturnType } from '@mantine/form'
import { IconKey } from '@tabler/icons-react'
import i18next from 'i18next'
import { useTranslation } from 'react-i18next'

interface Props extends PasswordInputProps {
  /** What is wrong with it, though it will be taken. */
  warning?: string | false
}

export function Password({ warning, ...props }: Props) {
  const { t } = useTranslation()
  return (
    <div>
      <PasswordInput
        {...props}
        // The library says so of every field but this one.
        aria-invalid={props.error ? true : undefined}
        visibilityToggleButtonProps={{ 'aria-label': t('password.show'), tabIndex: 0 }}
      />
      {warning && (
        <Alert color="yellow" mt="xs" p="xs" role="status">
          {warning}
        </Alert>
      )}
    </div>
  )
}

interface Twice {
  password: string
  again: string
}

/** For `validate` of a form with a password that is typed twice. */
export const ALIKE = {
  again: (again: string, { password }: Twice) => (again === password ? null : i18next.t('password.differ')),
}

/** A new password, typed twice. */
export function NewPasswords<V extends Twice>({ form, label, first }: { form: UseFormReturnType<V>; label?: string; first?: boolean }) {
  const { t } = useTranslation()
  return (
    <>
      <Password
        label={label ?? t('password.new')}
        description={t('password.rule')}
        autoComplete="new-password"
        data-autofocus={first || undefined}
        autoFocus={first}
        {...form.getInputProps('password')}
      />
      <Password label={t('password.again')} autoComplete="new-password" {...form.getInputProps('again')} />
    </>
  )
}

/** Stands where a password is kept that can't be shown: another one can be set. */
export function AnotherPassword({ label, action, note, onClick }: { label: string; action: string; note?: string; onClick: () => void }) {
  return (
    <Input.Wrapper label={label} labelElement="div">
      <Group gap="sm">
        <Button variant="default" leftSection={<IconKey size={16} />} onClick={onClick}>
          {action}
        </Button>
        {note && (
          <Text size="sm" c="dimmed">
            {note}
          </Text>
        )}
      </Group>
    </Input.Wrapper>
  )
}
