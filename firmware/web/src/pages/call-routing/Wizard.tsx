// A new interface, step by step: with whom, the account, the numbers, how one dials out.
import { Alert, Button, Checkbox, Group, Modal, Radio, Select, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertCircle } from '@tabler/icons-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useExtensions, useInterfaces, useRefresh, useRoutes } from '../../api/configuration'
import { Password } from '../../kit/Password'
import { same } from '../../kit/conflict'
import { NAME } from '../../kit/fields'
import { HelpButton } from '../../kit/help'
import { limited, MOST_CHOICES } from '../../kit/limited'
import { done } from '../../kit/toast'
import { useUnsaved } from '../../kit/unsaved'
import { atFields, bodyOf, choices, type InterfaceValues, NEW } from './body'
import { Numbers } from './Numbers'
import { PrefixOverlap } from './Overlap'
import { apply, begin } from './rewrite'

type Values = InterfaceValues & { prefix: string }

const FIRST: Values = { ...NEW, numbers: [{ number: '', extension: null }], prefix: '' }

/** Stands for what has not been asked yet, so that a step is checked by itself. */
const TO_COME: Values = { ...NEW, host: 'sip.example.com', username: 'account', prefix: '' }

/** The steps, and what is asked in each. */
const STEPS = [
  { id: 'partner', fields: ['partner', 'name'] },
  { id: 'account', fields: ['host', 'port', 'username', 'password', 'register', 'user_id', 'external_address'] },
  { id: 'numbers', fields: ['numbers', 'operator'] },
  { id: 'prefix', fields: ['prefix'] },
] as const

/** What was typed up to a step. */
function upTo(step: number, values: Values): Values {
  const asked: readonly string[] = STEPS.slice(0, step + 1).flatMap(({ fields }) => [...fields])
  return { ...TO_COME, ...Object.fromEntries(Object.entries(values).filter(([name]) => asked.includes(name))) }
}

/** Another exchange has no external numbers: those that were typed for a provider are not sent. */
function sent(values: Values) {
  const prefix = values.prefix.trim()
  const numbers = values.partner === 'provider' ? values.numbers : []
  return { ...bodyOf({ ...values, numbers }), ...(prefix && { prefix }) }
}

export function Wizard({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const extensions = useExtensions()
  const interfaces = useInterfaces()
  const routes = useRoutes()
  const refresh = useRefresh()
  const narrow = useMediaQuery('(max-width: 40em)')
  const form = useForm<Values>({ initialValues: FIRST })
  const [step, setStep] = useState(0)
  const [refused, setRefused] = useState(0)
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const body = useRef<HTMLFormElement>(null)
  const leave = useUnsaved(!same(form.values, FIRST))
  const { values } = form
  const provider = values.partner === 'provider'
  const { id } = STEPS[step]!
  const last = step === STEPS.length - 1
  // Where there is a route of the prefix, the interface becomes its backup.
  const before = (routes.data?.find(({ prefix }) => values.prefix.trim() !== '' && prefix === values.prefix.trim())?.interfaces ?? [])
    .flatMap((id) => interfaces.data?.find((one) => one.id === id) ?? [])
    .filter(({ partner }, _, all) => partner === values.partner && all.every((one) => one.partner === partner))
    .map(({ name }) => name)

  // Each step begins at its first field, or at the one that is wrong.
  useEffect(() => {
    const fields = body.current
    const at =
      fields?.querySelector<HTMLElement>('[aria-invalid="true"]') ??
      fields?.querySelector<HTMLElement>('input[type="radio"]:checked, input:not([type="radio"])')
    at?.focus()
  }, [step, refused, extensions.data])

  /** Puts what is refused where it was asked. */
  function told(error: unknown) {
    const problem = atFields(error)
    const { '': rest, ...errors } = problem.fields(Object.keys(FIRST))
    form.setErrors(errors)
    setTrouble(rest ?? (Object.keys(errors).length > 0 ? null : problem.text()))
    const at = STEPS.findIndex(({ fields }) => fields.some((name) => name in errors))
    if (at >= 0) setStep(at)
    setRefused((times) => times + 1)
  }

  async function send() {
    setBusy(true)
    setTrouble(null)
    try {
      if (!last) {
        await answer(api.POST('/api/v1/interfaces/check', { body: sent(upTo(step, values)) }))
        setStep(step + 1)
        return
      }
      await answer(api.POST('/api/v1/interfaces', { body: sent(values) }))
      done(t('interface.added', { name: values.name.trim() }))
      await refresh()
      await leave(onClose, true)
    } catch (error) {
      told(error)
    } finally {
      setBusy(false)
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    event.stopPropagation()
    if (busy) return
    form.clearErrors()
    void send()
  }

  function back() {
    form.clearErrors()
    setTrouble(null)
    setStep(step - 1)
  }

  if (!extensions.data) return null
  const close = () => {
    if (!busy) void leave(onClose)
  }
  const operator = (
    <Select
      label={t('interface.operator')}
      description={provider ? t('wizard.operator_hint') : t('wizard.operator_exchange')}
      placeholder={t('interface.nobody')}
      data={choices(extensions.data).map(({ value, label }) => ({ value: String(value), label }))}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('action.clear') }}
      filter={limited}
      limit={MOST_CHOICES}
      nothingFoundMessage={t('word.nothing_found')}
      error={form.errors.operator}
      value={values.operator === null ? null : String(values.operator)}
      onChange={(id) => form.setFieldValue('operator', id === null ? null : Number(id))}
    />
  )
  return (
    <Modal.Root opened onClose={close} fullScreen={narrow} size="lg" closeOnClickOutside={false}>
      <Modal.Overlay backgroundOpacity={0.45} />
      <Modal.Content>
        <Modal.Header>
          <Modal.Title>{t('interface.add')}</Modal.Title>
          <Group gap={4} wrap="nowrap" ml="auto">
            <HelpButton id="interface" size="md" />
            <Modal.CloseButton aria-label={t('action.close')} />
          </Group>
        </Modal.Header>
        <Modal.Body>
          <form ref={body} noValidate onSubmit={submit}>
            <Stack gap="md" mih={narrow ? undefined : 380} justify="space-between">
              <Stack gap="md">
                <div aria-live="polite">
                  <Text size="sm" c="dimmed" className="figures">
                    {t('wizard.step', { step: step + 1, of: STEPS.length })}
                  </Text>
                  <Text fw={600}>{t(`wizard.${id}`)}</Text>
                </div>
                {trouble && (
                  <Alert color="red" icon={<IconAlertCircle size={18} />} role="alert">
                    {trouble}
                  </Alert>
                )}
                {id === 'partner' && (
                  <>
                    <Radio.Group
                      aria-label={t('interface.partner')}
                      value={values.partner}
                      onChange={(partner) => form.setValues({ partner: partner as Values['partner'], ...(!form.isTouched('register') && { register: partner === 'provider' }) })}
                    >
                      <Stack gap="sm">
                        <Radio value="provider" label={t('partner.provider')} description={t('wizard.provider_text')} />
                        <Radio value="exchange" label={t('partner.exchange')} description={t('wizard.exchange_text')} />
                      </Stack>
                    </Radio.Group>
                    <TextInput
                      label={t('interface.name')}
                      description={t('interface.name_hint')}
                      maxLength={64}
                      {...NAME}
                      {...form.getInputProps('name')}
                    />
                  </>
                )}
                {id === 'account' && (
                  <>
                    <Text size="sm" c="dimmed">
                      {provider ? t('wizard.account_text') : t('wizard.account_exchange')}
                    </Text>
                    <Group align="start" gap="sm" wrap="nowrap">
                      <TextInput
                        label={t('interface.host')}
                        description={t('interface.host_hint')}
                        flex={1}
                        maxLength={253}
                        {...NAME}
                        {...form.getInputProps('host')}
                      />
                      <TextInput
                        label={t('interface.port')}
                        description={t('interface.port_hint')}
                        w={150}
                        inputMode="numeric"
                        maxLength={5}
                        {...NAME}
                        {...form.getInputProps('port')}
                      />
                    </Group>
                    <TextInput
                      label={t('interface.username')}
                      description={t('interface.username_hint')}
                      maxLength={64}
                      {...NAME}
                      {...form.getInputProps('username')}
                    />
                    <Password label={t('interface.password')} autoComplete="new-password" {...form.getInputProps('password')} />
                    <Checkbox
                      label={t('interface.register')}
                      description={t('interface.register_hint')}
                      {...form.getInputProps('register', { type: 'checkbox' })}
                    />
                    <TextInput
                      label={t('interface.user_id')}
                      description={t('interface.user_id_hint')}
                      maxLength={64}
                      {...NAME}
                      {...form.getInputProps('user_id')}
                    />
                    <TextInput
                      label={t('interface.external_address')}
                      description={t('interface.external_address_hint')}
                      maxLength={45}
                      {...NAME}
                      {...form.getInputProps('external_address')}
                    />
                  </>
                )}
                {id === 'numbers' && (
                  <>
                    <Text size="sm" c="dimmed">
                      {provider ? t('wizard.numbers_text') : t('wizard.numbers_exchange')}
                    </Text>
                    {provider && (
                      <Numbers
                        numbers={values.numbers}
                        extensions={extensions.data}
                        otherwise={t('numbers.otherwise')}
                        error={form.errors.numbers}
                        readOnly={false}
                        onChange={(numbers) => {
                          form.clearFieldError('numbers')
                          form.setFieldValue('numbers', numbers)
                        }}
                      />
                    )}
                    {operator}
                  </>
                )}
                {id === 'prefix' && (
                  <>
                    <TextInput
                      label={t('wizard.prefix_label')}
                      description={provider ? t('wizard.prefix_hint') : t('wizard.prefix_exchange')}
                      inputMode="tel"
                      maxLength={32}
                      styles={{ wrapper: { maxWidth: 220 } }}
                      {...NAME}
                      {...form.getInputProps('prefix')}
                    />
                    <PrefixOverlap prefix={values.prefix} extensions={extensions.data} />
                    <Text size="sm" role="status">
                      {before.length > 0
                        ? t('wizard.backup', { prefix: values.prefix.trim(), before: before.join(', '), name: values.name.trim() })
                        : preview(values)
                          ? t('wizard.preview', { ...preview(values)!, name: values.name.trim() })
                          : t('wizard.no_prefix')}
                    </Text>
                  </>
                )}
              </Stack>
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={close} mr="auto">
                  {t('action.cancel')}
                </Button>
                {step > 0 && (
                  <Button variant="default" onClick={back} disabled={busy}>
                    {t('wizard.back')}
                  </Button>
                )}
                <Button type="submit" loading={busy}>
                  {last ? t('action.add') : t('wizard.next')}
                </Button>
              </Group>
            </Stack>
          </form>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}

/** What somebody dials, and what is sent. */
function preview({ prefix, partner }: Values): { dialled: string; sent: string } | null {
  const before = prefix.trim()
  if (before === '') return null
  const dialled = `${before}${partner === 'provider' ? '5550199' : '01'}`
  return { dialled, sent: apply(begin(before, partner), dialled) }
}
