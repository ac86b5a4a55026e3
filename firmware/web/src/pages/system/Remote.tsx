// System, Menu over SSH: the menu of the box from elsewhere, for the keys of administrators.
import { Skeleton, Text, Textarea } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { api, tagged } from '../../api/client'
import { type RemoteMenu, useMayAdminister, useRemoteMenu, useTold } from '../../api/machine'
import { Problem } from '../../api/problem'
import { EditPage } from '../../kit/EditPage'
import { Failed } from '../../kit/Empty'
import { Page } from '../../kit/Page'
import { check, field, NAME } from '../../kit/fields'
import { Elsewhere } from './Elsewhere'
import { Tabs } from './Tabs'
import { atFields } from './faults'
import { type RemoteValues, toRemote, toRemoteValues } from './remote'

export default function RemotePage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useRemoteMenu()
  if (data) return <Settings remote={data} />
  return (
    <Page id="remote" title={t('nav.system')}>
      <Tabs />
      {error ? <Failed error={error} retry={refetch} /> : data === null ? <Elsewhere /> : <Skeleton h={320} maw="44rem" />}
    </Page>
  )
}

function Settings({ remote }: { remote: RemoteMenu }) {
  const { t } = useTranslation()
  const mayWrite = useMayAdminister()
  const told = useTold()
  const { refetch } = useRemoteMenu()

  async function save(values: RemoteValues, etag: string) {
    try {
      told.remote(await tagged(api.PUT('/api/v1/system/remote-menu', { params: { header: { 'If-Match': etag } }, body: toRemote(values) })))
      return t('remote.saved')
    } catch (error) {
      throw atFields(Problem.from(error))
    }
  }

  return (
    <EditPage<RemoteValues>
      id="remote"
      title={t('nav.system')}
      above={<Tabs />}
      stored={{ values: toRemoteValues(remote.settings), etag: remote.etag }}
      save={save}
      refresh={refetch}
      readOnly={!mayWrite}
      sections={[
        {
          id: 'remote',
          title: t('remote.section'),
          text: (
            <>
              {t('remote.text', { host: window.location.hostname })}
              {remote.fingerprint && (
                <Text size="sm" className="figures" mt={4} style={{ overflowWrap: 'anywhere' }}>
                  {t('remote.fingerprint', { fingerprint: remote.fingerprint })}
                </Text>
              )}
            </>
          ),
          fields: [
            check<RemoteValues>('enabled', { label: t('remote.enabled'), hint: t('remote.enabled_hint') }),
            field<RemoteValues, 'keys'>('keys', t('remote.keys'), String, (form) => (
              <Textarea
                label={t('remote.keys')}
                description={t('remote.keys_hint')}
                autosize
                minRows={3}
                maxRows={16}
                maxLength={34_000}
                {...NAME}
                {...form.getInputProps('keys')}
              />
            )),
          ],
        },
      ]}
    />
  )
}
