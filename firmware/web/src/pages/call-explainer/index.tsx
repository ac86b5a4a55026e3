// What would become of a call: who dials what, each step of the way, and how it ends. Nobody is called.
import { Alert, Button, Group, Select, Skeleton, Text, TextInput } from '@mantine/core'
import { IconHelpCircle } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useExtensions, useInterfaces } from '../../api/configuration'
import { Empty, Failed } from '../../kit/Empty'
import { limited, MOST_CHOICES } from '../../kit/limited'
import { Page } from '../../kit/Page'
import { go, usePlace } from '../../kit/route'
import { choices } from '../call-routing/body'
import { Explained } from './Explained'

export default function CallExplainer() {
  const { t } = useTranslation()
  const { search } = usePlace()
  const extensions = useExtensions()
  const interfaces = useInterfaces()
  const error = extensions.error ?? interfaces.error
  if (error || !extensions.data || !interfaces.data) {
    return (
      <Page id="call-explainer" title={t('nav.call_explainer')}>
        {error ? <Failed error={error} retry={() => Promise.all([extensions.refetch(), interfaces.refetch()])} /> : <Skeleton h={220} maw="44rem" />}
      </Page>
    )
  }
  const callers = [
    ...choices(extensions.data).map(({ value, label }) => ({ value: `extension ${value}`, label })),
    ...interfaces.data.map(({ id, name }) => ({ value: `interface ${id}`, label: t('explainer.from', { name }) })),
  ]
  return (
    <Page id="call-explainer" title={t('nav.call_explainer')}>
      {callers.length === 0 ? (
        <Empty icon={IconHelpCircle} title={t('explainer.empty')} text={t('explainer.empty_text')} />
      ) : (
        // What is asked stands in the address: another one begins anew.
        <Question key={search} callers={callers} asked={new URLSearchParams(search)} />
      )}
    </Page>
  )
}

function Question({ callers, asked }: { callers: { value: string; label: string }[]; asked: URLSearchParams }) {
  const { t } = useTranslation()
  const named = (['extension', 'interface'] as const).flatMap((kind) => (asked.has(kind) ? [`${kind} ${asked.get(kind)}`] : []))[0]
  const [caller, setCaller] = useState(callers.some(({ value }) => value === named) ? named! : callers[0]!.value)
  const [dialled, setDialled] = useState(asked.get('dialled') ?? '')
  const complete = asked.has('dialled') && named !== undefined

  function ask() {
    const [kind, id] = caller.split(' ')
    const query = new URLSearchParams({ [kind!]: id!, dialled: dialled.trim() })
    void go(`/call-explainer?${query}`)
  }

  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (dialled.trim() !== '') ask()
        }}
      >
        <Group align="end" gap="sm" maw="44rem">
          <Select
            label={t('explainer.who')}
            data={callers}
            searchable
            filter={limited}
            limit={MOST_CHOICES}
            nothingFoundMessage={t('word.nothing_found')}
            allowDeselect={false}
            value={caller}
            onChange={(chosen) => chosen && setCaller(chosen)}
            flex="1 1 16rem"
          />
          <TextInput
            label={t('explainer.dials')}
            value={dialled}
            onChange={(event) => setDialled(event.currentTarget.value)}
            inputMode="tel"
            autoComplete="off"
            maxLength={128}
            autoFocus
            flex="1 1 10rem"
          />
          <Button type="submit" disabled={dialled.trim() === ''}>
            {t('explainer.ask')}
          </Button>
        </Group>
      </form>
      {complete ? (
        <Answer caller={caller} dialled={asked.get('dialled')!} />
      ) : (
        <Text c="dimmed" maw="44rem">
          {t('explainer.text')}
        </Text>
      )}
    </>
  )
}

function Answer({ caller, dialled }: { caller: string; dialled: string }) {
  const { t } = useTranslation()
  const [kind, id] = caller.split(' ')
  // With what is configured: it is asked anew after each change, and from time to time for what registers.
  const explained = useQuery({
    queryKey: ['config', 'call-explanation', caller, dialled],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/call-explanation', { params: { query: { [kind!]: Number(id), dialled } as { dialled: string } }, signal })),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  })
  if (explained.error) return <Failed error={explained.error} retry={explained.refetch} />
  if (!explained.data) return <Skeleton h={180} maw="44rem" />
  return (
    <section aria-label={t('explainer.answer')} aria-live="polite">
      <Explained explanation={explained.data} dialled={dialled} />
      <Alert color="gray" mt="md" maw="44rem">
        {t('explainer.nothing_dialled')}
      </Alert>
    </section>
  )
}
