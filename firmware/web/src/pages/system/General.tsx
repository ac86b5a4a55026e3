// System, General: what concerns the whole exchange.
import { NumberInput, Radio, Skeleton, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { type General, useGeneral, useRefresh } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { EditPage } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { choice, field, NAME, text } from '../../kit/fields'
import type { Stored } from '../../kit/useEdit'
import { countries } from './countries'
import { Tabs } from './Tabs'

const DIGESTS = ['md5', 'sha256_then_md5', 'sha256'] as const

export function GeneralSettings() {
  const { t } = useTranslation()
  const general = useGeneral()
  if (general.data) return <Settings stored={general.data} />
  return (
    <Page id="system" title={t('nav.system')}>
      <Tabs />
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

  const calls = [
    choice<General, 'country'>('country', {
      label: t('system.country'),
      hint: t('system.country_hint'),
      options: countries(stored.values.country),
      search: true,
      width: 320,
    }),
    field<General, 'no_answer_s'>('no_answer_s', t('system.no_answer'), String, (form) => (
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
    )),
  ]
  const phones = [
    field<General, 'digest'>('digest', t('system.digest'), (digest) => t(`digest.${digest}`), (form) => (
      <Radio.Group label={t('system.digest')} {...form.getInputProps('digest')}>
        <Stack gap="sm" mt="sm">
          {DIGESTS.map((digest) => (
            <Radio key={digest} value={digest} label={t(`digest.${digest}`)} description={t(`digest_hint.${digest}`)} />
          ))}
        </Stack>
      </Radio.Group>
    )),
    text<General>('realm', {
      label: t('system.realm'),
      hint: t('system.realm_hint'),
      maxLength: 64,
      styles: { wrapper: { maxWidth: 320 } },
      ...NAME,
    }),
  ]
  return (
    <EditPage<General>
      id="system"
      title={t('nav.system')}
      above={<Tabs />}
      stored={stored}
      save={save}
      refresh={refresh}
      readOnly={!mayWrite}
      sections={[
        { id: 'calls', title: t('system.calls'), fields: calls },
        { id: 'phones', title: t('system.phones'), text: t('system.phones_text'), fields: phones },
      ]}
    />
  )
}
