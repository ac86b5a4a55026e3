// Calls that are over. There may be a hundred thousand: the box filters, sorts and counts.
import { Button, Center, Text } from '@mantine/core'
import { IconDownload, IconHistory, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMayWrite } from '../../api/session'
import { DataTable } from '../../kit/DataTable'
import { Empty, Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { Pager } from '../../kit/Pager'
import { go, parts, usePlace, useSearch } from '../../kit/route'
import { ClearDialog } from './ClearDialog'
import { Filters } from './Filters'
import { HistoryDialog } from './HistoryDialog'
import { useColumns } from './columns'
import { exportUrl, filterOf, offsetOf, PAGE, sortOf, useHistory } from './filter'

export default function CallHistory() {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const { pathname, search: asked } = usePlace()
  const { id } = parts(pathname)
  const [search, setSearch] = useSearch()
  const query = useHistory(search)
  const [clearing, setClearing] = useState(false)
  const columns = useColumns()
  const total = query.data?.total ?? 0
  const filter = filterOf(search)
  const isEmpty = query.data && !query.isPlaceholderData && total === 0 && Object.values(filter).every((value) => value === undefined)
  // A call opened from the list goes back to the same page of it.
  const show = (call?: number) => void go(`/call-history${call === undefined ? '' : `/${call}`}${asked}`)
  return (
    <Page
      id="call-history"
      title={t('nav.call_history')}
      fill
      note={query.data && !isEmpty ? t('calls.count', { count: total }) : ''}
      actions={
        !isEmpty && (
          <>
            <Button component="a" href={exportUrl(filter)} download variant="default" leftSection={<IconDownload size={16} />}>
              {t('history.export')}
            </Button>
            {mayWrite && (
              <Button variant="default" leftSection={<IconTrash size={16} />} onClick={() => setClearing(true)}>
                {t('history.clear')}
              </Button>
            )}
          </>
        )
      }
    >
      {query.error ? (
        <Failed error={query.error} retry={query.refetch} />
      ) : isEmpty ? (
        <Empty icon={IconHistory} title={t('history.empty')} text={t('history.empty_text')} />
      ) : (
        <>
          <Filters search={search} onChange={(change) => setSearch({ ...change, page: null })} />
          {query.data && total === 0 ? (
            <Center flex={1}>
              <Text c="dimmed">{t('history.nothing')}</Text>
            </Center>
          ) : (
            <DataTable
              // Another page begins at its top.
              key={`${offsetOf(search)}`}
              label={t('nav.call_history')}
              rows={query.data?.calls}
              id={({ id }) => id}
              columns={columns}
              sort={sortOf(search)}
              onSort={({ column, down }) =>
                setSearch({
                  sort: column,
                  // Times and durations are asked for the latest and longest first.
                  order: down || (column !== sortOf(search).column && ['started', 'duration'].includes(column)) ? null : 'ascending',
                  page: null,
                })
              }
              open={({ id }) => show(id)}
            />
          )}
          {total > PAGE && (
            <Pager
              offset={offsetOf(search)}
              size={PAGE}
              total={total}
              onChange={(offset) => setSearch({ page: offset === 0 ? null : String(offset / PAGE + 1) })}
            />
          )}
        </>
      )}
      {id !== undefined && <HistoryDialog key={id} id={id} onClose={() => show()} />}
      {clearing && <ClearDialog onClose={() => setClearing(false)} />}
    </Page>
  )
}
