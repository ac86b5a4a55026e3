// System, Logs: how long logs are kept, and where their rows go besides.
import { NumberInput, Skeleton } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, type Schemas, tagged, type Tagged } from '../../api/client'
import { Problem } from '../../api/problem'
import { useMayWrite } from '../../api/session'
import { EditPage } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { choice, field, NAME, text } from '../../kit/fields'
import { number } from '../../kit/time'
import { Tabs } from './Tabs'

type LogSettings = Schemas['LogSettings']

interface Values {
  keep: LogSettings['keep']
  rows: number
  /** An empty field keeps all. */
  megabytes: number | ''
  server: string
  facility: Schemas['LogFacility']
  severity: Schemas['LogSeverity']
}

const KEEPS = ['hour', 'day', 'week', 'month', 'year', 'always'] as const
const FACILITIES = ['user', 'daemon', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'] as const
const SEVERITIES = ['error', 'warning', 'notice', 'info'] as const
const KEY = ['config', 'log-settings']

function toValues({ keep, rows, megabytes, syslog }: LogSettings): Values {
  return { keep, rows, megabytes: megabytes ?? '', server: syslog?.server ?? '', facility: syslog?.facility ?? 'local0', severity: syslog?.severity ?? 'info' }
}

function toSettings({ keep, rows, megabytes, server, facility, severity }: Values): LogSettings {
  // An empty field is no number: the box says what one would be.
  return { keep, rows: Number(rows), megabytes: megabytes === '' ? null : Number(megabytes), syslog: server.trim() ? { server: server.trim(), facility, severity } : null }
}

/** The fault of the server stands at its field. */
function atFields(problem: Problem): Problem {
  const errors = problem.errors?.map((error) =>
    error.pointer === '/syslog/server' ? { ...error, pointer: '/server', code: 'syslog_server' as typeof error.code } : error,
  )
  return new Problem({ code: problem.code, detail: problem.detail, retryAfter: problem.retryAfter, errors })
}

export default function LogSettingsPage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => tagged(api.GET('/api/v1/log-settings', { signal })),
  })
  if (data) return <Settings settings={data} refresh={refetch} />
  return (
    <Page id="log-settings" title={t('nav.system')}>
      <Tabs />
      {error ? <Failed error={error} retry={refetch} /> : <Skeleton h={320} maw="44rem" />}
    </Page>
  )
}

function Settings({ settings, refresh }: { settings: Tagged<LogSettings>; refresh: () => Promise<unknown> }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const mayWrite = useMayWrite()

  async function save(values: Values, etag: string) {
    try {
      const params = { header: { 'If-Match': etag } }
      const told = await tagged(api.PUT('/api/v1/log-settings', { params, body: toSettings(values) }))
      void client.cancelQueries({ queryKey: KEY })
      client.setQueryData(KEY, told)
    } catch (error) {
      throw atFields(Problem.from(error))
    }
    return t('system.saved')
  }

  return (
    <EditPage<Values>
      id="log-settings"
      title={t('nav.system')}
      above={<Tabs />}
      stored={{ values: toValues(settings), etag: settings.etag }}
      save={save}
      refresh={refresh}
      readOnly={!mayWrite}
      sections={[
        {
          id: 'keep',
          title: t('log_settings.keep_title'),
          text: t('log_settings.keep_text'),
          fields: [
            choice<Values, 'keep'>('keep', {
              label: t('log_settings.keep'),
              options: KEEPS.map((value) => ({ value, label: t(`log_keep.${value}`) })),
              width: 320,
            }),
            field<Values, 'rows'>('rows', t('log_settings.rows'), (rows) => number(rows), (form) => (
              <NumberInput
                label={t('log_settings.rows')}
                description={t('log_settings.rows_hint')}
                min={100}
                max={100_000}
                clampBehavior="none"
                allowDecimal={false}
                allowNegative={false}
                styles={{ wrapper: { maxWidth: 160 } }}
                {...form.getInputProps('rows')}
              />
            )),
            field<Values, 'megabytes'>('megabytes', t('log_settings.megabytes'), (size) => String(size), (form) => (
              <NumberInput
                label={t('log_settings.megabytes')}
                description={t('log_settings.megabytes_hint')}
                min={1}
                max={200}
                suffix=" MB"
                clampBehavior="none"
                allowDecimal={false}
                allowNegative={false}
                styles={{ wrapper: { maxWidth: 160 } }}
                {...form.getInputProps('megabytes')}
              />
            )),
          ],
        },
        {
          id: 'syslog',
          title: t('log_settings.syslog'),
          text: t('log_settings.syslog_text'),
          fields: [
            text<Values>('server', {
              label: t('log_settings.server'),
              hint: t('log_settings.server_hint'),
              maxLength: 253,
              styles: { wrapper: { maxWidth: 320 } },
              ...NAME,
            }),
            choice<Values, 'facility'>('facility', {
              label: t('log_settings.facility'),
              options: FACILITIES.map((value) => ({ value, label: value })),
              width: 160,
            }),
            choice<Values, 'severity'>('severity', {
              label: t('log_settings.severity'),
              options: SEVERITIES.map((value) => ({ value, label: t(`log_severity.${value}`) })),
              width: 320,
            }),
          ],
        },
      ]}
    />
  )
}
