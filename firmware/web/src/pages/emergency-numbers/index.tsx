// Emergency numbers: which they are, whether they are dialled without a prefix, and by which routes they leave.
import { Alert, Button, Group, Select, Skeleton } from '@mantine/core'
import { IconAlertTriangle, IconUrgent } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Extension, type Route, useEmergency, useExtensions, useGeneral, useInterfaces, useRefresh, useRoutes } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { useMayWrite } from '../../api/session'
import { EditPage } from '../../kit/EditPage'
import { Empty, Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { check, field } from '../../kit/fields'
import { Link } from '../../kit/route'
import type { Form, Stored } from '../../kit/useEdit'
import { Ordered } from '../../kit/Ordered'
import { countries } from '../system/countries'
import { EmergencyNumbers } from './EmergencyNumbers'
import classes from './emergency.module.css'

type Emergency = Schemas['Emergency']
interface Values {
  numbers: Emergency['numbers']
  direct: boolean
  routes: number[]
}

export default function EmergencyPage() {
  const { t } = useTranslation()
  const emergency = useEmergency()
  const routes = useRoutes()
  const extensions = useExtensions()
  const error = emergency.error ?? routes.error ?? extensions.error
  if (emergency.data && routes.data && extensions.data) {
    const { etag, values } = emergency.data
    const stored = { etag, values: { ...values, routes: values.routes ?? [] } }
    return <Settings stored={stored} routes={routes.data} extensions={extensions.data} />
  }
  return (
    <Page id="emergency-numbers" title={t('nav.emergency_numbers')}>
      {error ? (
        <Failed error={error} retry={() => Promise.all([emergency.refetch(), routes.refetch(), extensions.refetch()])} />
      ) : (
        <Skeleton h={320} maw="44rem" />
      )}
    </Page>
  )
}

function Settings({ stored, routes, extensions }: { stored: Stored<Values>; routes: Route[]; extensions: Extension[] }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const refresh = useRefresh()
  const interfaces = useInterfaces()
  const names = (route: Route) => route.interfaces.map((id) => interfaces.data?.find((one) => one.id === id)?.name ?? '').join(', ')
  const label = (route: Route) => `${route.prefix || t('route.any')} – ${names(route)}${route.enabled ? '' : ` (${t('emergency.route_disabled')})`}`

  async function save(values: Values, etag: string) {
    const numbers = values.numbers
      .map(({ number, description }) => ({ number: number.trim(), description: description?.trim() ?? '' }))
      .filter(({ number, description }) => number !== '' || description !== '')
    try {
      await answer(api.PUT('/api/v1/emergency-numbers', { params: { header: { 'If-Match': etag } }, body: { ...values, numbers } }))
    } catch (error) {
      throw atNumbers(error)
    }
    await refresh()
    return t('emergency.saved')
  }

  const set = <K extends 'numbers' | 'routes'>(form: Form<Values>, name: K, value: Values[K]) => {
    form.clearFieldError(name)
    form.setFieldValue(name, (() => value) as never)
  }
  const numbers = field<Values, 'numbers'>(
    'numbers',
    t('emergency.numbers'),
    (rows) => rows.map(({ number }) => number).join(', '),
    (form) => (
      <>
        <EmergencyNumbers
          numbers={form.values.numbers}
          taken={form.values.direct ? extensions.map(({ number }) => number) : []}
          error={form.errors.numbers}
          readOnly={!mayWrite}
          onChange={(numbers) => set(form, 'numbers', numbers)}
        />
        {mayWrite && <Presets onChoose={(numbers) => set(form, 'numbers', numbers)} />}
      </>
    ),
  )
  const direct = check<Values>('direct', { label: t('emergency.direct'), hint: t('emergency.direct_hint') })
  const ways = field<Values, 'routes'>(
    'routes',
    t('emergency.routes'),
    (chosen) => chosen.map((id) => routes.find((route) => route.id === id)?.prefix ?? id).join(', '),
    (form) => (
      <Ordered
        label={t('emergency.routes')}
        hint={t('emergency.routes_hint')}
        items={form.values.routes}
        options={routes.map((route) => ({ value: route.id, label: label(route) }))}
        addLabel={t('emergency.route_add')}
        error={form.errors.routes}
        readOnly={!mayWrite}
        onChange={(chosen) => set(form, 'routes', chosen)}
      />
    ),
  )
  const first = stored.values.numbers[0]?.number ?? '112'
  return (
    <EditPage<Values>
      id="emergency-numbers"
      title={t('nav.emergency_numbers')}
      above={<State routes={routes} any={stored.values.numbers.length > 0} first={first} />}
      stored={stored}
      save={save}
      refresh={refresh}
      readOnly={!mayWrite}
      sections={[
        { id: 'numbers', title: t('emergency.numbers'), text: t('emergency.numbers_text'), fields: [numbers] },
        { id: 'ways', title: t('emergency.ways'), text: t('emergency.ways_text'), fields: [direct, ways] },
      ]}
    />
  )
}

/** Whether help can be called at all, as it is stored; the check dials nothing. */
function State({ routes, any, first }: { routes: Route[]; any: boolean; first: string }) {
  const { t } = useTranslation()
  const interfaces = useInterfaces()
  if (!interfaces.data) return null
  const enabled = new Set(interfaces.data.filter(({ enabled }) => enabled).map(({ id }) => id))
  const leads = routes.some((route) => route.enabled && route.interfaces.some((id) => enabled.has(id)))
  if (!any) return <Empty icon={IconUrgent} title={t('emergency.empty')} text={t('emergency.empty_text')} />
  if (!leads) {
    return (
      <Alert color="red" icon={<IconAlertTriangle size={18} />} title={t('attention.no_way_to_help')} maw="44rem">
        {t('todo.no_way_to_help')} <Link to="/call-routing" className={classes.link}>{t('nav.call_routing')}</Link>
      </Alert>
    )
  }
  return (
    <Alert color="gray" maw="44rem">
      {t('emergency.try_text')}{' '}
      <Link to={`/call-explainer?dialled=${encodeURIComponent(first)}`} className={classes.link}>
        {t('emergency.try', { number: first })}
      </Link>
    </Alert>
  )
}

/** The numbers of a country instead of those that are there. */
function Presets({ onChoose }: { onChoose: (numbers: Values['numbers']) => void }) {
  const { t } = useTranslation()
  const general = useGeneral()
  const presets = useQuery({
    queryKey: ['emergency-presets'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/emergency-numbers/presets', { signal }))).presets,
    staleTime: Infinity,
  })
  const [chosen, setChosen] = useState<string | null>(null)
  const country = chosen ?? general.data?.values.country ?? ''
  const known = new Set(presets.data?.map(({ country }) => country))
  const preset = presets.data?.find((one) => one.country === country)
  return (
    <Group align="end" gap="xs">
      <Select
        label={t('emergency.preset')}
        description={t('emergency.preset_hint')}
        data={countries(country).filter(({ value }) => known.has(value))}
        searchable
        nothingFoundMessage={t('word.nothing_found')}
        allowDeselect={false}
        value={country}
        onChange={setChosen}
        styles={{ wrapper: { maxWidth: 320 } }}
      />
      <Button
        variant="default"
        disabled={!preset}
        onClick={() => onChoose(preset!.numbers.map((number) => ({ number, description: '' })))}
      >
        {t('emergency.overwrite')}
      </Button>
    </Group>
  )
}

/** What is refused about a number, in words of this page. */
function atNumbers(error: unknown): Problem {
  const { code, detail, etag, changedBy, retryAfter, errors } = Problem.from(error)
  const words: Record<string, string> = { number_taken: 'emergency_taken', invalid_number: 'emergency_number_invalid' }
  const told = errors.map((fault) => ({ ...fault, code: fault.pointer.startsWith('/numbers') ? (words[fault.code] ?? fault.code) : fault.code }))
  return new Problem({ code, detail, etag, changedBy, retryAfter, errors: told as Problem['errors'] })
}
