// An extension is added or changed.
import { Button, Checkbox, Select, Text, TextInput } from '@mantine/core'
import { IconKey } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { type Extension, path, suggestNumber, useRefresh, useUsers } from '../../api/configuration'
import { useMayWrite } from '../../api/session'
import { EditDialog, type Stored } from '../../kit/EditDialog'
import { Password } from '../../kit/Password'
import { NewSipPassword } from './NewSipPassword'
import { showCredentials } from './credentials'

type Codec = Schemas['Codec']

interface Values {
  number: string
  description: string
  user: number | null
  enabled: boolean
  sip_username: string
  sip_password: string
  codecs: Codec[]
}

const ORDERS: Codec[][] = [['pcma', 'pcmu'], ['pcmu', 'pcma'], ['pcma'], ['pcmu']]

function values(extension: Extension): Stored<Values> {
  const { number, description, user = null, enabled, sip_username, codecs, etag } = extension
  return { etag, values: { number, description, user, enabled, sip_username, sip_password: '', codecs } }
}

export function ExtensionDialog({ extension, onClose }: { extension?: Extension; onClose: () => void }) {
  const { t } = useTranslation()
  const mayWrite = useMayWrite()
  const users = useUsers()
  const refresh = useRefresh()
  const [asking, setAsking] = useState(false)
  const suggested = useQuery({
    queryKey: ['suggestion'],
    queryFn: () => suggestNumber().catch(() => ''),
    enabled: !extension,
    gcTime: 0,
    staleTime: 0,
  })
  if (!users.data || (!extension && suggested.data === undefined)) return null

  async function save({ sip_password, ...rest }: Values, etag: string) {
    if (extension) {
      await answer(api.PUT('/api/v1/extensions/{id}', { params: path(extension.id, etag), body: rest }))
    } else {
      const body = { ...rest, sip_username: rest.sip_username || null, sip_password: sip_password || null }
      const created = await answer(api.POST('/api/v1/extensions', { body }))
      showCredentials([created])
    }
    await refresh()
    return extension ? t('extension.saved', { number: rest.number }) : undefined
  }

  const codecName = (codecs: Codec[]) => codecs.map((codec) => t(`codec.${codec}`)).join(', ')
  return (
    <>
      <EditDialog<Values>
        title={extension ? t('extension.edit', { number: extension.number }) : t('extension.add')}
        help="extension"
        stored={extension && values(extension)}
        initial={{
          number: suggested.data ?? '',
          description: '',
          user: null,
          enabled: true,
          sip_username: '',
          sip_password: '',
          codecs: ['pcma', 'pcmu'],
        }}
        labels={{
          number: t('extension.number'),
          description: t('extension.description'),
          user: t('extension.user'),
          enabled: t('extension.enabled'),
          sip_username: t('extension.sip_username'),
          sip_password: t('extension.sip_password'),
          codecs: t('extension.codecs'),
        }}
        show={(field, value) => {
          if (field === 'user') return users.data.find(({ id }) => id === value)?.name ?? ''
          if (field === 'codecs') return codecName(value as Codec[])
          return typeof value === 'boolean' ? t(value ? 'word.yes' : 'word.no') : String(value ?? '')
        }}
        save={save}
        refresh={refresh}
        onClose={onClose}
        readOnly={!mayWrite}
        tabs={(form) => [
          {
            id: 'general',
            label: t('extension.general'),
            fields: ['number', 'description', 'user', 'enabled'],
            body: (
              <>
                <Checkbox
                  label={t('extension.enabled')}
                  description={t('extension.enabled_hint')}
                  {...form.getInputProps('enabled', { type: 'checkbox' })}
                />
                <TextInput
                  label={t('extension.number')}
                  description={extension ? undefined : t('extension.number_hint')}
                  inputMode="numeric"
                  maxLength={16}
                  data-autofocus
                  maw={220}
                  {...form.getInputProps('number')}
                />
                <TextInput
                  label={t('extension.description')}
                  placeholder={t('extension.description_example')}
                  maxLength={128}
                  {...form.getInputProps('description')}
                />
                <Select
                  label={t('extension.user')}
                  description={t('extension.user_hint')}
                  placeholder={t('extension.nobody')}
                  data={users.data.map(({ id, name, full_name }) => ({
                    value: String(id),
                    label: full_name ? `${full_name} (${name})` : name,
                  }))}
                  searchable
                  clearable
                  clearButtonProps={{ 'aria-label': t('action.clear') }}
                  limit={50}
                  nothingFoundMessage={t('word.nothing_found')}
                  error={form.errors.user}
                  value={form.values.user === null ? null : String(form.values.user)}
                  onChange={(id) => form.setFieldValue('user', id === null ? null : Number(id))}
                />
              </>
            ),
          },
          {
            id: 'sip',
            label: t('extension.sip'),
            fields: ['sip_username', 'sip_password', 'codecs'],
            body: (
              <>
                <Text size="sm" c="dimmed">
                  {t('extension.sip_text')}
                </Text>
                <TextInput
                  label={t('extension.sip_username')}
                  placeholder={form.values.number}
                  description={extension ? undefined : t('extension.sip_username_hint')}
                  maxLength={64}
                  spellCheck={false}
                  autoComplete="off"
                  {...form.getInputProps('sip_username')}
                />
                {extension ? (
                  mayWrite && (
                    <div>
                      <Text size="sm" fw={500} mb={4}>
                        {t('extension.sip_password')}
                      </Text>
                      <Button variant="default" leftSection={<IconKey size={16} />} onClick={() => setAsking(true)}>
                        {t('sip_password.open')}
                      </Button>
                      <Text size="xs" c="dimmed" mt={4}>
                        {t('extension.sip_password_kept')}
                      </Text>
                    </div>
                  )
                ) : (
                  <Password
                    label={t('extension.sip_password')}
                    placeholder={t('extension.sip_password_made')}
                    description={t('extension.sip_password_hint')}
                    autoComplete="new-password"
                    {...form.getInputProps('sip_password')}
                  />
                )}
                <Select
                  label={t('extension.codecs')}
                  description={t('extension.codecs_hint')}
                  allowDeselect={false}
                  data={ORDERS.map((codecs) => ({ value: codecs.join(), label: codecName(codecs) }))}
                  error={form.errors.codecs}
                  value={form.values.codecs.join()}
                  onChange={(codecs) => codecs && form.setFieldValue('codecs', codecs.split(',') as Codec[])}
                />
              </>
            ),
          },
        ]}
      />
      {asking && extension && <NewSipPassword extension={extension} onClose={() => setAsking(false)} />}
    </>
  )
}
