// Which number those outside see of an extension.
import { Radio, Select, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useExtensions } from '../../api/configuration'
import { limited, MOST_CHOICES } from '../../kit/limited'
import type { Form } from '../../kit/useEdit'

type CallerId = Schemas['CallerId']

const KINDS = ['own', 'hidden', 'extension'] as const

/** Nobody is chosen yet. */
const NOBODY = 0

export function CallerNumber<V extends { caller_id: CallerId }>({ form, own }: { form: Form<V>; own?: number }) {
  const { t } = useTranslation()
  const extensions = useExtensions()
  const { caller_id } = form.values
  const others = (extensions.data ?? []).filter(({ id }) => id !== own)
  const set = (value: CallerId) => {
    form.clearFieldError('caller_id')
    form.setFieldValue('caller_id', value as never)
  }
  return (
    <>
      <Radio.Group
        label={t('caller_id.outside')}
        value={caller_id.show}
        onChange={(show) => set(show === 'extension' ? { show, extension: NOBODY } : { show: show as 'own' | 'hidden' })}
      >
        <Stack gap="sm" mt="sm">
          {KINDS.map((kind) => (
            <Radio key={kind} value={kind} label={t(`caller_id.number_${kind}`)} description={kind === 'hidden' ? t('caller_id.hidden_hint') : undefined} />
          ))}
        </Stack>
      </Radio.Group>
      {caller_id.show === 'extension' && (
        <Select
          aria-label={t('caller_id.number_extension')}
          ml={32}
          data={others.map(({ id, number, description, user_name }) => ({
            value: String(id),
            label: [number, user_name ?? description].filter(Boolean).join(' · '),
          }))}
          searchable
          filter={limited}
          limit={MOST_CHOICES}
          nothingFoundMessage={t('word.nothing_found')}
          allowDeselect={false}
          error={form.errors.caller_id}
          value={caller_id.extension === NOBODY ? null : String(caller_id.extension)}
          onChange={(id) => set({ show: 'extension', extension: Number(id) })}
        />
      )}
    </>
  )
}
