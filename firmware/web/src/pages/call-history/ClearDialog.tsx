// Old calls are removed from the history.
import { Select } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { RemoveDialog } from '../../kit/RemoveDialog'

const AGES = ['365', '90', '30', '0'] as const
const DAY_MS = 86_400_000

export function ClearDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [opened] = useState(() => Date.now())
  const [age, setAge] = useState<(typeof AGES)[number]>('365')
  const before = useMemo(() => new Date(opened - Number(age) * DAY_MS).toISOString(), [opened, age])
  const found = useQuery({
    queryKey: ['history', 'before', before],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/call-history', { params: { query: { until: before, limit: 1 } }, signal })),
  })
  const count = found.data?.total
  const refresh = () => client.invalidateQueries({ queryKey: ['history'] })
  return (
    <RemoveDialog
      title={t('clear.title')}
      text={count === undefined ? t('clear.counting') : t('clear.text', { count })}
      remove={async () => {
        await answer(api.POST('/api/v1/call-history/clear', { body: { before } }))
        await refresh()
      }}
      refresh={refresh}
      said={t('clear.done')}
      removeLabel={t('clear.remove')}
      nothing={count === 0}
      onClose={onClose}
    >
      <Select
        label={t('clear.which')}
        allowDeselect={false}
        data={AGES.map((one) => ({ value: one, label: t(`clear_age.${one}`) }))}
        value={age}
        onChange={(value) => value && setAge(value as typeof age)}
      />
    </RemoveDialog>
  )
}
