// A page with settings: it is an edit dialog without the dialog.
import { Alert, Button, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { IconAlertCircle } from '@tabler/icons-react'
import { Fragment, type ReactNode, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Conflict } from './Conflict'
import classes from './EditPage.module.css'
import type { Field } from './fields'
import { Page } from './Page'
import { focusFault, type Stored, useEdit } from './useEdit'

export interface Section<V extends object> {
  id: string
  title: string
  /** What it is about, in a sentence, or how it is now. */
  text?: ReactNode
  fields: Field<V>[]
}

interface Props<V extends object> {
  /** Names the page's help text. */
  id: string
  title: string
  /** What stands before the form. */
  above?: ReactNode
  stored: Stored<V>
  sections: Section<V>[]
  save: (values: V, etag: string) => Promise<string | undefined>
  refresh: () => Promise<unknown>
  readOnly?: boolean
}

export function EditPage<V extends object>(props: Props<V>) {
  const { id, title, above, stored, sections, save, refresh, readOnly = false } = props
  const { t } = useTranslation()
  const body = useRef<HTMLFormElement>(null)
  const edit = useEdit({ stored, initial: stored.values, save, refresh, readOnly, point: () => focusFault(body) })
  const { form, dirty, conflict, saving, trouble } = edit
  return (
    <Page id={id} title={title}>
      {above}
      <form
        ref={body}
        className={classes.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          edit.submit()
        }}
      >
        {trouble && (
          <Alert color="red" icon={<IconAlertCircle size={18} />} role="alert">
            {trouble}
          </Alert>
        )}
        {conflict && <Conflict {...conflict} fields={sections.flatMap(({ fields }) => fields)} />}
        <fieldset disabled={readOnly} className={classes.fields}>
          {sections.map(({ id, title, text, fields }) => (
            <Paper key={id} component="section" withBorder p="lg" aria-label={title}>
              <Stack gap="md">
                <div>
                  <Title order={2}>{title}</Title>
                  {text && (
                    <Text size="sm" c="dimmed" component="div">
                      {text}
                    </Text>
                  )}
                </div>
                {fields.map(({ name, input }) => (
                  <Fragment key={name}>{input(form)}</Fragment>
                ))}
              </Stack>
            </Paper>
          ))}
        </fieldset>
        {!readOnly && (
          <Group justify="flex-end" gap="xs" className={classes.foot}>
            <Button variant="default" onClick={edit.discard} disabled={!dirty}>
              {t('unsaved.discard')}
            </Button>
            <Button type="submit" loading={saving} disabled={!dirty || conflict !== null}>
              {t('action.save')}
            </Button>
          </Group>
        )}
      </form>
    </Page>
  )
}
