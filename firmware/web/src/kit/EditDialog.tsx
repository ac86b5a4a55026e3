// The dialog in which something is added or changed: tabs, errors at their fields, a guard over what
// isn't saved, and two people changing the same thing.
import { Alert, Button, Group, Modal, ScrollArea, Tabs, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertCircle } from '@tabler/icons-react'
import { Fragment, type ReactNode, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Conflict } from './Conflict'
import classes from './EditDialog.module.css'
import type { Field } from './fields'
import { HelpButton } from './help'
import { focusFault, type Stored, useEdit } from './useEdit'

export type { Stored } from './useEdit'

export interface Tab<V extends object> {
  id: string
  label: string
  /** A sentence above its fields. */
  text?: string
  /** An error in one of them brings the tab to the front. */
  fields: Field<V>[]
  /** What stands below them and isn't saved with them. */
  more?: ReactNode
}

interface Props<V extends object> {
  title: string
  help: string
  /** What is stored now, kept up to date; nothing where something is added. */
  stored?: Stored<V>
  /** What the form begins with where something is added. */
  initial: V
  tabs: Tab<V>[]
  /** Stores the values; the tag is for If-Match. Returns what to tell, or nothing. */
  save: (values: V, etag: string) => Promise<string | undefined>
  /** Reads again what is stored. */
  refresh: () => Promise<unknown>
  onClose: () => void
  readOnly?: boolean
  /** Another dialog lies upon it: Escape is for that one. */
  covered?: boolean
  saveLabel?: string
}

export function EditDialog<V extends object>(props: Props<V>) {
  const { title, stored, initial, tabs, save, refresh, onClose, readOnly = false } = props
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
      const bad = tabs.find(({ fields }) => fields.some(({ name }) => name in errors))
      if (bad) setTab(bad.id)
      focusFault(body)
    },
  })
  const { form, dirty, conflict, saving, trouble, leave } = edit
  const shown = tab ?? tabs[0]?.id ?? null
  // What is being saved is not left: it closes by itself, and something else may lie upon it by then.
  const close = () => {
    if (!saving) void leave(onClose)
  }
  return (
    <Modal.Root
      opened
      onClose={close}
      fullScreen={narrow}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={!props.covered}
      scrollAreaComponent={ScrollArea.Autosize}
    >
      <Modal.Overlay backgroundOpacity={0.45} />
      <Modal.Content>
        <Modal.Header>
          <Modal.Title>{title}</Modal.Title>
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
            {conflict && <Conflict {...conflict} fields={tabs.flatMap(({ fields }) => fields)} />}
            <Tabs value={shown} onChange={setTab} keepMounted keepMountedMode="display-none">
              {tabs.length > 1 && (
                <Tabs.List px="md">
                  {tabs.map(({ id, label, fields }) => (
                    <Tabs.Tab key={id} value={id} data-bad={fields.some(({ name }) => form.errors[name]) || undefined}>
                      {label}
                    </Tabs.Tab>
                  ))}
                </Tabs.List>
              )}
              <div className={classes.panels}>
                {tabs.map(({ id, text, fields, more }) => (
                  <Tabs.Panel key={id} value={id} className={classes.panel} data-shown={id === shown || undefined}>
                    <fieldset disabled={readOnly} className={classes.fields}>
                      {text && (
                        <Text size="sm" c="dimmed">
                          {text}
                        </Text>
                      )}
                      {fields.map(({ name, input }) => (
                        <Fragment key={name}>{input(form)}</Fragment>
                      ))}
                      {more}
                    </fieldset>
                  </Tabs.Panel>
                ))}
              </div>
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
