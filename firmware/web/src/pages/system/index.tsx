// System: what concerns the whole exchange.
import { NumberInput, Radio, Select, Skeleton, Stack, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { type General, useGeneral, useRefresh } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { EditPage } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import type { Form, Stored } from '../../kit/useEdit'
import { countries, countryName } from './countries'

const DIGESTS = ['md5', 'sha256_then_md5', 'sha256'] as const

export default function System() {
  const { t } = useTranslation()
  const general = useGeneral()
  if (general.data) return <Settings stored={general.data} />
  return (
    <Page id="system" title={t('nav.system')}>
      {general.error ? <Failed error={general.error} retry={general.refetch} /> : <Skeleton h={320} maw="44rem" />}
    </Page>
  )
}

function Settings({ stored }: { stored: Stored<General> }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const mayWrite = useMayWrite()

  async function save(values: General, etag: string) {
    // An empty field is no number: the box says what one would be.
    const body = { ...values, no_answer_s: Number(values.no_answer_s) }
    await answer(api.PUT('/api/v1/general', { params: { header: { 'If-Match': etag } }, body }))
    await refresh()
    return t('system.saved')
  }

  return (
    <EditPage<General>
      id="system"
      title={t('nav.system')}
      stored={stored}
      labels={{
        country: t('system.country'),
        no_answer_s: t('system.no_answer'),
        digest: t('system.digest'),
        realm: t('system.realm'),
      }}
      show={(field, value) => {
        if (field === 'country') return countryName(String(value))
        if (field === 'digest') return t(`digest.${value as General['digest']}`)
        return String(value ?? '')
      }}
      save={save}
      refresh={refresh}
      readOnly={!mayWrite}
      sections={(form) => [
        { id: 'calls', title: t('system.calls'), body: <Calls form={form} /> },
        { id: 'phones', title: t('system.phones'), text: t('system.phones_text'), body: <Phones form={form} /> },
      ]}
    />
  )
}

function Calls({ form }: { form: Form<General> }) {
  const { t } = useTranslation()
  return (
    <>
      <Select
        label={t('system.country')}
        description={t('system.country_hint')}
        data={countries(form.values.country)}
        searchable
        allowDeselect={false}
        nothingFoundMessage={t('word.nothing_found')}
        styles={{ wrapper: { maxWidth: 320 } }}
        {...form.getInputProps('country')}
      />
      <NumberInput
        label={t('system.no_answer')}
        description={t('system.no_answer_hint')}
        suffix=" s"
        min={5}
        max={180}
        clampBehavior="none"
        allowDecimal={false}
        allowNegative={false}
        styles={{ wrapper: { maxWidth: 160 } }}
        {...form.getInputProps('no_answer_s')}
      />
    </>
  )
}

function Phones({ form }: { form: Form<General> }) {
  const { t } = useTranslation()
  return (
    <>
      <Radio.Group label={t('system.digest')} {...form.getInputProps('digest')}>
        <Stack gap="sm" mt="sm">
          {DIGESTS.map((digest) => (
            <Radio key={digest} value={digest} label={t(`digest.${digest}`)} description={t(`digest_hint.${digest}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <TextInput
        label={t('system.realm')}
        description={t('system.realm_hint')}
        maxLength={64}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        styles={{ wrapper: { maxWidth: 320 } }}
        {...form.getInputProps('realm')}
      />
    </>
  )
}
