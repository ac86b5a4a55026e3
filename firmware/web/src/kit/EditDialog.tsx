// The dialog in which something is added or changed: tabs, errors at their fields, a guard over what
// isn't saved, and two people changing the same thing.
import { Alert, Button, Group, Modal, ScrollArea, Tabs } from '@mantine/core'
import { useForm, type UseFormReturnType } from '@mantine/form'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertCircle } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../api/problem'
import { Conflict } from './Conflict'
import classes from './EditDialog.module.css'
import { merge, same } from './conflict'
import { HelpButton } from './help'
import { done } from './toast'
import { useUnsaved } from './unsaved'

export type Form<V extends object> = UseFormReturnType<V>

export interface Tab<V> {
  id: string
  label: string
  /** The fields on this tab: an error in one of them brings the tab to the front. */
  fields: (keyof V & string)[]
  body: ReactNode
}

/** What is stored: the values as the form has them, and which revision that is. */
export interface Stored<V> {
  values: V
  etag: string
}

interface Props<V extends object> {
  title: string
  help: string
  /** What is stored now, kept up to date; nothing where something is added. */
  stored?: Stored<V>
  /** What the form begins with where something is added. */
  initial: V
  tabs: (form: Form<V>) => Tab<V>[]
  /** What the fields are called, and how their values read, where two people changed them. */
  labels: Record<keyof V & string, string>
  show?: (field: keyof V & string, value: unknown) => string
  /** Stores the values; the tag is for If-Match. Returns what to tell, or nothing. */
  save: (values: V, etag: string) => Promise<string | undefined>
  /** Reads again what is stored. */
  refresh: () => Promise<unknown>
  onClose: () => void
  readOnly?: boolean
  saveLabel?: string
}

export function EditDialog<V extends object>(props: Props<V>) {
  const { title, stored, initial, labels, save, refresh, onClose, readOnly = false } = props
  const { t } = useTranslation()
  const narrow = useMediaQuery('(max-width: 40em)')
  const [base, setBase] = useState(stored)
  const form = useForm<V>({ initialValues: stored?.values ?? initial })
  const tabs = props.tabs(form)
  const [tab, setTab] = useState<string | null>(tabs[0]?.id ?? null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  const body = useRef<HTMLFormElement>(null)
  const dirty = !readOnly && !same(form.values, base?.values ?? initial)
  const leave = useUnsaved(dirty)
  const moved = base && stored && stored.etag !== base.etag && !saving

  // Somebody else changed it, but nothing was typed here or theirs is what was stored: theirs it is.
  const follows = moved && (!dirty || same(stored.values, base.values))
  useEffect(() => {
    if (!follows) return
    if (!dirty) form.setValues(stored.values)
    // The form is a store of its own, which has to be brought along.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setBase(stored)
  }, [follows, dirty, stored, form])

  function point(problem: Problem) {
    const names = Object.keys(initial)
    const { '': rest, ...errors } = problem.fields(names)
    form.setErrors(errors)
    setTrouble(rest ?? (Object.keys(errors).length > 0 ? null : problem.text()))
    const bad = tabs.find(({ fields }) => fields.some((field) => field in errors))
    if (bad) setTab(bad.id)
    // The fields have to be drawn before one of them can be gone to.
    setTimeout(() => body.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
  }

  async function submit(values: V, etag: string) {
    setSaving(true)
    setTrouble(null)
    form.clearErrors()
    try {
      const said = await save(values, etag)
      if (said) done(said)
      await leave(onClose, true)
    } catch (error) {
      const problem = Problem.from(error)
      if (problem.code === 'changed') await refresh()
      else if (problem.code !== 'cancelled') point(problem)
    } finally {
      setSaving(false)
    }
  }

  const conflict = moved && !follows
  const close = () => void leave(onClose)
  return (
    <Modal.Root
      opened
      onClose={close}
      fullScreen={narrow}
      size="lg"
      closeOnClickOutside={false}
      scrollAreaComponent={ScrollArea.Autosize}
    >
      <Modal.Overlay backgroundOpacity={0.45} />
      <Modal.Content>
        <Modal.Header>
          <Modal.Title component="h2" className={classes.title}>
            {title}
          </Modal.Title>
          <Group gap={4} wrap="nowrap" ml="auto">
            <HelpButton id={props.help} size="md" />
            <Modal.CloseButton aria-label={t('action.close')} />
          </Group>
        </Modal.Header>
        <Modal.Body p={0}>
          <form
            ref={body}
            className={classes.form}
            noValidate
            onSubmit={(event) => {
              event.preventDefault()
              // A dialog upon this one sends its form through here too.
              event.stopPropagation()
              if (!readOnly && !saving && !conflict) void submit(form.values, base?.etag ?? '*')
            }}
          >
            {trouble && (
              <Alert color="red" icon={<IconAlertCircle size={18} />} mx="md" mb="sm" role="alert">
                {trouble}
              </Alert>
            )}
            {conflict && (
              <Conflict
                before={base.values}
                theirs={stored.values}
                mine={form.values}
                labels={labels}
                show={props.show}
                onMine={() => {
                  const merged = merge(base.values, stored.values, form.values)
                  setBase(stored)
                  form.setValues(merged)
                  void submit(merged, stored.etag)
                }}
                onTheirs={() => {
                  setBase(stored)
                  form.setValues(stored.values)
                  form.clearErrors()
                }}
              />
            )}
            <Tabs value={tab} onChange={setTab} keepMounted>
              {tabs.length > 1 && (
                <Tabs.List px="md">
                  {tabs.map(({ id, label, fields }) => (
                    <Tabs.Tab key={id} value={id} data-bad={fields.some((field) => form.errors[field]) || undefined}>
                      {label}
                    </Tabs.Tab>
                  ))}
                </Tabs.List>
              )}
              {tabs.map(({ id, body }) => (
                <Tabs.Panel key={id} value={id} className={classes.panel}>
                  <fieldset disabled={readOnly} className={classes.fields}>
                    {body}
                  </fieldset>
                </Tabs.Panel>
              ))}
            </Tabs>
            <Group justify="flex-end" gap="xs" className={classes.foot}>
              <Button variant="default" onClick={close}>
                {readOnly ? t('action.close') : t('action.cancel')}
              </Button>
              {!readOnly && (
                <Button type="submit" loading={saving} disabled={conflict || (stored && !dirty)}>
                  {props.saveLabel ?? (stored ? t('action.save') : t('action.add'))}
                </Button>
              )}
            </Group>
          </form>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
