// The dialog in which something is added or changed: tabs, errors at their fields, a guard over what
// isn't saved, and two people changing the same thing.
import { Alert, Button, Group, Modal, ScrollArea, Tabs } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertCircle } from '@tabler/icons-react'
import { type ReactNode, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Conflict } from './Conflict'
import classes from './EditDialog.module.css'
import { HelpButton } from './help'
import { focusFault, type Form, type Stored, useEdit } from './useEdit'

export type { Form, Stored } from './useEdit'

export interface Tab<V> {
  id: string
  label: string
  /** The fields on this tab: an error in one of them brings the tab to the front. */
  fields: (keyof V & string)[]
  body: ReactNode
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
  const [tab, setTab] = useState<string | null>(null)
  const body = useRef<HTMLFormElement>(null)
  const edit = useEdit({
    stored,
    initial,
    save,
    refresh,
    readOnly,
    onSaved: onClose,
    point: (errors) => {
      const bad = tabs.find(({ fields }) => fields.some((field) => field in errors))
      if (bad) setTab(bad.id)
      focusFault(body)
    },
  })
  const { form, dirty, conflict, saving, trouble, leave } = edit
  const tabs = props.tabs(form)
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
              edit.submit()
            }}
          >
            {trouble && (
              <Alert color="red" icon={<IconAlertCircle size={18} />} mx="md" mb="sm" role="alert">
                {trouble}
              </Alert>
            )}
            {conflict && <Conflict {...conflict} labels={labels} show={props.show} />}
            <Tabs value={tab ?? tabs[0]?.id ?? null} onChange={setTab} keepMounted>
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
                <Button type="submit" loading={saving} disabled={conflict !== null || (stored && !dirty)}>
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
