// What of the history is shown.
import { Button, Group, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { DISPOSITIONS, PERIODS } from './filter'

interface Props {
  search: URLSearchParams
  /** What the filter becomes: the first page of it is shown. */
  onChange: (change: Record<string, string | null>) => void
}

const TYPING_MS = 250

export function Filters({ search, onChange }: Props) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState(search.get('number') ?? '')
  const ask = useDebouncedCallback((number: string) => onChange({ number: number.trim() || null }), TYPING_MS)
  const type = (number: string) => {
    setTyped(number)
    ask(number)
  }
  const filtered = ['number', 'period', 'result'].some((name) => search.has(name))
  return (
    <Group gap="xs" align="end">
      <TextInput
        type="search"
        w={{ base: '100%', sm: 200 }}
        maxLength={64}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && type('')}
        placeholder={t('history.number')}
        aria-label={t('history.number')}
        leftSection={<IconSearch size={16} />}
      />
      <Select
        flex={{ base: 1, sm: 'none' }}
        w={{ sm: 165 }}
        miw={140}
        aria-label={t('history.period')}
        placeholder={t('history.any_time')}
        clearable
        clearButtonProps={{ 'aria-label': t('action.clear') }}
        data={PERIODS.map((one) => ({ value: one, label: t(`period.${one}`) }))}
        value={search.get('period')}
        onChange={(period) => onChange({ period, from: null, until: null })}
      />
      {search.get('period') === 'chosen' &&
        (['from', 'until'] as const).map((end) => (
          <TextInput
            key={end}
            type="date"
            flex={{ base: 1, sm: 'none' }}
            miw={140}
            aria-label={t(`history.${end}`)}
            title={t(`history.${end}`)}
            value={search.get(end) ?? ''}
            onChange={(event) => onChange({ [end]: event.currentTarget.value || null })}
          />
        ))}
      <Select
        flex={{ base: 1, sm: 'none' }}
        w={{ sm: 170 }}
        miw={140}
        aria-label={t('history.result')}
        placeholder={t('history.any_result')}
        clearable
        clearButtonProps={{ 'aria-label': t('action.clear') }}
        data={DISPOSITIONS.map((one) => ({ value: one, label: t(`disposition.${one}`) }))}
        value={search.get('result')}
        onChange={(result) => onChange({ result })}
      />
      {filtered && (
        <Button
          variant="subtle"
          px="xs"
          onClick={() => {
            ask.cancel()
            setTyped('')
            onChange({ number: null, period: null, from: null, until: null, result: null })
          }}
        >
          {t('list.clear')}
        </Button>
      )}
    </Group>
  )
}
