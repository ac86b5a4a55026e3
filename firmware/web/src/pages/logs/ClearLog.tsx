// Old rows of a log are removed.
import { Radio, Stack } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { RemoveDialog } from '../../kit/RemoveDialog'
import type { Log, LogRow } from './useLog'

const DAY_MS = 86_400_000
const AGES = { year: 365, month: 30, week: 7, all: 0 } as const
type Age = keyof typeof AGES

export function ClearLog({ log, newest, onClose }: { log: Log; newest: LogRow; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [age, setAge] = useState<Age>('month')
  const refresh = () => client.resetQueries({ queryKey: ['log', log] })
  return (
    <RemoveDialog
      title={t(`log.clear_title.${log}`)}
      text={t('log.clear_text')}
      remove={async () => {
        // All is what can be seen, by the clock of the box; nobody has read what comes after it.
        const before = age === 'all' ? Date.parse(newest.time) + 1 : Date.now() - AGES[age] * DAY_MS
        const body = { before: new Date(before).toISOString() }
        await answer(api.POST('/api/v1/logs/{log}/clear', { params: { path: { log } }, body }))
        await refresh()
      }}
      refresh={refresh}
      said={t('log.cleared')}
      removeLabel={t('action.clear')}
      onClose={onClose}
    >
      <Radio.Group value={age} onChange={(value) => setAge(value as Age)} label={t('log.clear_what')}>
        <Stack gap="xs" mt="xs">
          {(Object.keys(AGES) as Age[]).map((one) => (
            <Radio key={one} value={one} label={t(`log_age.${one}`)} />
          ))}
        </Stack>
      </Radio.Group>
    </RemoveDialog>
  )
}
