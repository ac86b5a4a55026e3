// What rings for a call to a user, and where it goes on.
import { ActionIcon, Button, Checkbox, Group, Input, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Extension } from '../../api/configuration'
import type { RingingValues, RingRow } from './ringing'

interface Props {
  values: RingingValues
  /** The numbers of the user's extensions. */
  own: string[]
  all: Extension[]
  error: ReactNode
  onChange: (values: RingingValues) => void
  readOnly: boolean
}

const NUMBERS = 'numbers-that-ring'
const FORWARDS = ['always', 'busy', 'no_answer'] as const

export function RingingRules({ values, own, all, error, onChange, readOnly }: Props) {
  const { t } = useTranslation()
  const { rings } = values
  const set = (change: Partial<RingingValues>) => onChange({ ...values, ...change })
  const row = (to: string): RingRow => ({ to, after: '0', until: '' })
  const setRow = (index: number, change: Partial<RingRow>) => set({ rings: rings.map((one, at) => (at === index ? { ...one, ...change } : one)) })
  // The user's own phones go on ringing beside the first number that is added.
  const add = () => set({ rings: [...(rings.length > 0 ? rings : own.map(row)), row('')] })
  const dial = { list: NUMBERS, inputMode: 'tel', autoComplete: 'off', maxLength: 32, className: 'figures' } as const
  const seconds = { inputMode: 'numeric', autoComplete: 'off', maxLength: 3, w: 84, className: 'figures' } as const
  return (
    <Stack gap="md">
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {error}
        </Text>
      )}
      <datalist id={NUMBERS}>
        {all.map(({ id, number, description, user_name }) => (
          <option key={id} value={number}>
            {user_name ?? description}
          </option>
        ))}
      </datalist>
      <Input.Wrapper label={t('ringing.rings')} labelElement="div" description={t('ringing.rings_hint')}>
        <Stack gap="xs" mt={6}>
          {rings.length === 0 && <Text size="sm">{t('ringing.called')}</Text>}
          {rings.map(({ to, after, until }, index) => (
            <Group key={index} gap="xs" align="flex-end" wrap="nowrap">
              <TextInput
                label={index === 0 && t('ringing.number')}
                aria-label={t('ringing.number_of', { place: index + 1 })}
                flex={1}
                {...dial}
                value={to}
                onChange={(event) => setRow(index, { to: event.currentTarget.value })}
              />
              <TextInput
                label={index === 0 && t('ringing.after')}
                aria-label={t('ringing.after_of', { place: index + 1 })}
                {...seconds}
                value={after}
                onChange={(event) => setRow(index, { after: event.currentTarget.value })}
              />
              <TextInput
                label={index === 0 && t('ringing.for')}
                aria-label={t('ringing.for_of', { place: index + 1 })}
                {...seconds}
                value={until}
                onChange={(event) => setRow(index, { until: event.currentTarget.value })}
              />
              {!readOnly && (
                <Tooltip label={t('user.extension_off', { number: to })}>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    mb={4}
                    aria-label={t('user.extension_off', { number: to })}
                    onClick={() => set({ rings: rings.filter((_, at) => at !== index) })}
                  >
                    <IconX size={16} />
                  </ActionIcon>
                </Tooltip>
              )}
            </Group>
          ))}
          {!readOnly && (
            <Button variant="default" leftSection={<IconPlus size={16} />} disabled={rings.length >= 10} onClick={add} style={{ alignSelf: 'start' }}>
              {t('ringing.add')}
            </Button>
          )}
        </Stack>
      </Input.Wrapper>
      <TextInput
        label={t('ringing.no_answer_s')}
        description={t('ringing.no_answer_s_hint')}
        styles={{ wrapper: { maxWidth: 84 } }}
        {...seconds}
        w={undefined}
        value={values.no_answer_s}
        onChange={(event) => set({ no_answer_s: event.currentTarget.value })}
      />
      {FORWARDS.map((which) => (
        <TextInput
          key={which}
          label={t(`ringing.${which}`)}
          placeholder={t('ringing.nowhere')}
          styles={{ wrapper: { maxWidth: 260 } }}
          {...dial}
          value={values[which]}
          onChange={(event) => set({ [which]: event.currentTarget.value })}
        />
      ))}
      <Checkbox
        label={t('ringing.do_not_disturb')}
        description={t('ringing.do_not_disturb_hint')}
        checked={values.do_not_disturb}
        onChange={(event) => set({ do_not_disturb: event.currentTarget.checked })}
      />
    </Stack>
  )
}
