// The dial plan: every internal number, what it is and whose; for the file and for paper.
import { Anchor, Button } from '@mantine/core'
import { IconDownload, IconListNumbers, IconPrinter } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { type DialPlanLine, useDialPlan, useExtensions, useUsers } from '../../api/configuration'
import type { Column } from '../../kit/DataTable'
import { ListPage } from '../../kit/ListPage'
import { PrintSheet } from '../../kit/Print'
import { go, Link } from '../../kit/route'
import { dated, saveFile } from '../../kit/save'
import { absolute } from '../../kit/time'
import { failed } from '../../kit/toast'

/** Where what a number stands for is changed. */
function place({ kind, id }: DialPlanLine): string {
  switch (kind) {
    case 'extension':
      return `/extensions/${id}`
    case 'emergency':
      return '/emergency-numbers'
  }
}

async function saveCsv() {
  try {
    const file = await answer(api.GET('/api/v1/dial-plan.csv', { parseAs: 'blob' }))
    saveFile(dated('dial-plan', 'csv'), file as unknown as Blob)
  } catch (error) {
    failed(error)
  }
}

export default function DialPlan() {
  const { t } = useTranslation()
  const query = useDialPlan()
  const extensions = useExtensions()
  const users = useUsers()
  const columns = useMemo<Column<DialPlanLine>[]>(() => {
    const people = new Map(users.data?.map(({ id, name, full_name }) => [id, full_name || name]))
    const byId = new Map(extensions.data?.map((extension) => [extension.id, extension]))
    const own = ({ kind, id }: DialPlanLine) => (kind === 'extension' ? byId.get(id ?? -1) : undefined)
    return [
      {
        id: 'number',
        title: t('dial_plan.number'),
        value: ({ number }) => number,
        cell: (line) => (
          <Anchor component={Link} to={place(line)} inherit tabIndex={-1} onClick={(event) => event.stopPropagation()}>
            {line.number}
          </Anchor>
        ),
        width: '8rem',
        narrow: 'title',
        figures: true,
      },
      {
        id: 'kind',
        title: t('dial_plan.kind'),
        value: ({ kind }) => t(`dial_plan_kind.${kind}`),
        width: '10rem',
        narrow: 'side',
      },
      { id: 'whose', title: t('dial_plan.whose'), value: (line) => people.get(own(line)?.user ?? -1), narrow: 'detail' },
      {
        id: 'description',
        title: t('dial_plan.description'),
        // What stands beside it already is not said twice.
        value: (line) => {
          const description = own(line)?.description ?? line.description
          return description === people.get(own(line)?.user ?? -1) ? '' : description
        },
        narrow: 'detail',
      },
    ]
  }, [t, users.data, extensions.data])

  const lines = query.data
  const some = lines !== undefined && lines.length > 0
  return (
    <ListPage
      id="dial-plan"
      title={t('nav.dial_plan')}
      query={query}
      rowId={({ number }) => number}
      columns={columns}
      sort="number"
      count={(count) => t('dial_plan.count', { count })}
      empty={{
        icon: IconListNumbers,
        title: t('dial_plan.empty'),
        text: t('dial_plan.empty_text'),
        action: <Button onClick={() => void go('/extensions')}>{t('dial_plan.begin')}</Button>,
      }}
      open={(line) => void go(place(line))}
      tools={
        <>
          <Button variant="default" leftSection={<IconDownload size={16} />} onClick={() => void saveCsv()} disabled={!some}>
            {t('dial_plan.csv')}
          </Button>
          <Button variant="default" leftSection={<IconPrinter size={16} />} onClick={() => window.print()} disabled={!some}>
            {t('dial_plan.print')}
          </Button>
        </>
      }
    >
      {some && (
        <PrintSheet
          title={t('nav.dial_plan')}
          note={t('dial_plan.printed', { numbers: t('dial_plan.count', { count: lines.length }), time: absolute(new Date().toISOString()) })}
          rows={lines}
          id={({ number }) => number}
          columns={columns}
        />
      )}
    </ListPage>
  )
}
