// By which name an extension is shown where it calls and is called.
import { Paper, Radio, Stack, Text, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { User } from '../../api/configuration'
import type { Form } from '../../kit/useEdit'

interface Parts {
  number: string
  description: string
  caller_name: string | null
}

export function CallerName<V extends Parts>({ form, user }: { form: Form<V>; user?: User }) {
  const { t } = useTranslation()
  const { number, description, caller_name } = form.values
  const usual = user?.full_name || description
  const set = (name: string | null) => {
    form.clearFieldError('caller_name')
    form.setFieldValue('caller_name', name as never)
  }
  return (
    <>
      <Radio.Group
        label={t('caller_id.name')}
        value={caller_name === null ? 'usual' : 'own'}
        onChange={(which) => set(which === 'own' ? '' : null)}
      >
        <Stack gap="sm" mt="sm">
          <Radio value="usual" label={t('caller_id.usual')} description={t('caller_id.usual_hint')} />
          <Radio value="own" label={t('caller_id.own')} />
        </Stack>
      </Radio.Group>
      {caller_name !== null && (
        <TextInput
          aria-label={t('caller_id.own')}
          placeholder={t('caller_id.example')}
          maxLength={128}
          ml={32}
          autoFocus
          value={caller_name}
          error={form.errors.caller_name}
          onChange={(event) => set(event.currentTarget.value)}
        />
      )}
      <Paper withBorder p="sm">
        <Text size="xs" c="dimmed">
          {t('caller_id.shown')}
        </Text>
        <Text fw={550} className="figures">
          {[caller_name?.trim() || usual, number].filter(Boolean).join(' · ')}
        </Text>
      </Paper>
    </>
  )
}
