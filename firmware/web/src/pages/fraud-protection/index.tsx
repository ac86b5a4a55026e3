// Fraud protection: which numbers are costly, how much may be called, when, and what is used of it now.
import { Alert, Button, Group, NumberInput, SimpleGrid, Skeleton, Stack, TagsInput, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { useFraudPreset, useFraudProtection, useRefresh } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { useMayWrite } from '../../api/session'
import { EditPage } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { check, field, type Field } from '../../kit/fields'
import { Page } from '../../kit/Page'
import type { Form, Stored } from '../../kit/useEdit'
import { countries } from '../system/countries'
import { type Limits, LIMITS, prefixes, type Values } from './body'
import { Hours, shown } from './Hours'
import { Use } from './Use'

export default function FraudProtectionPage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useFraudProtection()
  if (data) return <Settings stored={{ etag: data.etag, values: { ...data.values, hours: data.values.hours ?? null } }} />
  return (
    <Page id="fraud-protection" title={t('nav.fraud_protection')}>
      {error ? <Failed error={error} retry={refetch} /> : <Skeleton h={320} maw="44rem" />}
    </Page>
  )
}

function Settings({ stored }: { stored: Stored<Values> }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const refresh = useRefresh()

  async function save(values: Values, etag: string) {
    try {
      await answer(api.PUT('/api/v1/fraud-protection', { params: { header: { 'If-Match': etag } }, body: values }))
    } catch (error) {
      throw inWords(error)
    }
    await refresh()
    return t('fraud.saved')
  }

  const set = <K extends keyof Values & string>(form: Form<Values>, name: K, value: Values[K]) => {
    form.clearFieldError(name)
    form.setFieldValue(name, (() => value) as never)
  }
  const beginnings = (name: 'costly' | 'exempt') =>
    field<Values, 'costly' | 'exempt'>(name, t(`fraud.${name}`), (list) => list.join(', '), (form) => (
      <>
        <TagsInput
          label={t(`fraud.${name}`)}
          description={t(`fraud.${name}_hint`)}
          splitChars={[',', ';', ' ']}
          readOnly={!mayWrite}
          inputMode="tel"
          error={form.errors[name]}
          value={form.values[name]}
          onChange={(list) => set(form, name, prefixes(list))}
        />
        {name === 'exempt' && mayWrite && (
          <Preset
            onChoose={({ costly, exempt }) => {
              set(form, 'costly', costly)
              set(form, 'exempt', exempt)
            }}
          />
        )}
      </>
    ))
  const limits = (name: 'extension' | 'exchange'): Field<Values> => {
    const labels = { calls: t('fraud.calls'), minutes_an_hour: t('fraud.hour'), minutes_a_day: t('fraud.day') }
    const tell = (of: Limits) => LIMITS.map((what) => t('fraud.of', { what: labels[what], limit: of[what] ?? '–' })).join(', ')
    return field<Values, 'extension' | 'exchange'>(name, t(`fraud.${name}`), tell, (form) => (
      <Stack gap={6}>
        <Text size="sm" fw={500}>
          {t(`fraud.${name}`)}
        </Text>
        <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
          {LIMITS.map((what) => (
            <NumberInput
              key={what}
              label={labels[what]}
              aria-label={`${t(`fraud.${name}`)}: ${labels[what]}`}
              min={what === 'calls' ? 1 : 0}
              max={65535}
              clampBehavior="none"
              allowDecimal={false}
              allowNegative={false}
              readOnly={!mayWrite}
              error={Boolean(form.errors[name])}
              value={form.values[name][what] ?? ''}
              onChange={(value) => set(form, name, { ...form.values[name], [what]: value === '' ? null : Number(value) })}
            />
          ))}
        </SimpleGrid>
        {form.errors[name] && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {form.errors[name]}
          </Text>
        )}
      </Stack>
    ))
  }
  const hours = field<Values, 'hours'>('hours', t('fraud.hours'), shown, (form) => (
    <Hours hours={form.values.hours} error={form.errors.hours} readOnly={!mayWrite} onChange={(value) => set(form, 'hours', value)} />
  ))
  const enabled = check<Values>('enabled', { label: t('fraud.enabled'), hint: t('fraud.enabled_hint') })
  return (
    <EditPage<Values>
      id="fraud-protection"
      title={t('nav.fraud_protection')}
      above={
        <>
          {!stored.values.enabled && (
            <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title={t('fraud.off')} maw="44rem">
              {t('fraud.off_text')}
            </Alert>
          )}
          <Use />
        </>
      }
      stored={stored}
      save={save}
      refresh={refresh}
      readOnly={!mayWrite}
      sections={[
        { id: 'protection', title: t('fraud.protection'), text: t('fraud.protection_text'), fields: [enabled] },
        { id: 'limits', title: t('fraud.limits'), text: t('fraud.limits_text'), fields: [limits('extension'), limits('exchange')] },
        { id: 'numbers', title: t('fraud.numbers'), text: t('fraud.numbers_text'), fields: [beginnings('costly'), beginnings('exempt'), hours] },
      ]}
    />
  )
}

/** What is known of the country in place of what stands there. */
function Preset({ onChoose }: { onChoose: (preset: Schemas['FraudPreset']) => void }) {
  const { t } = useTranslation()
  const { data } = useFraudPreset()
  if (!data) return null
  const country = countries(data.country).find(({ value }) => value === data.country)?.label ?? data.country
  return (
    <Group>
      <Button variant="default" onClick={() => onChoose(data)}>
        {t('fraud.preset', { country })}
      </Button>
    </Group>
  )
}

/** What is refused, in words of this page. */
function inWords(error: unknown): Problem {
  const { code, detail, etag, changedBy, retryAfter, errors } = Problem.from(error)
  const word = ({ pointer, code }: { pointer: string; code: string }) => {
    if (code === 'invalid_number') return 'emergency_number_invalid'
    if (pointer.startsWith('/hours')) return 'fraud_hours'
    return pointer.endsWith('/calls') ? 'fraud_calls' : code
  }
  const told = errors.map((fault) => ({ ...fault, code: word(fault) }))
  return new Problem({ code, detail, etag, changedBy, retryAfter, errors: told as Problem['errors'] })
}
