// The fields of dialogs and pages of settings. Each knows its label and how its value reads, so that
// a conflict can be told without a list of both.
import { Checkbox, Select, TextInput, type TextInputProps } from '@mantine/core'
import i18next from 'i18next'
import type { ReactNode } from 'react'
import { limited, MOST_CHOICES } from './limited'
import { Password } from './Password'
import { same } from './conflict'
import type { Form } from './useEdit'

export interface Field<V extends object> {
  name: keyof V & string
  label: string
  /** How a value of it reads. */
  show: (value: unknown) => string
  input: (form: Form<V>) => ReactNode
}

/** What is told of a field besides its label. */
interface Texts {
  label: string
  hint?: string
}

/** A hint may depend on what is chosen beside it. */
type Hint<V> = string | ((values: V) => string)

type Name<V, T> = { [K in keyof V]: V[K] extends T ? K : never }[keyof V] & string

const plain = (value: unknown) => String(value ?? '')

/** `first`: one begins here. */
export function text<V extends object>(
  name: Name<V, string>,
  { label, hint, first, ...props }: Texts & { first?: boolean } & Omit<TextInputProps, 'label' | 'form'>,
): Field<V> {
  return {
    name,
    label,
    show: plain,
    input: (form) => (
      <TextInput label={label} description={hint} data-autofocus={first || undefined} {...props} {...form.getInputProps(name)} />
    ),
  }
}

/** A name that machines read: no spelling, no capitals, no help from the browser. */
export const NAME = { spellCheck: false, autoCapitalize: 'none', autoComplete: 'off' } as const

export function check<V extends object>(name: Name<V, boolean>, { label, hint }: Texts): Field<V> {
  return {
    name,
    label,
    show: (value) => i18next.t(value ? 'word.yes' : 'word.no'),
    input: (form) => <Checkbox label={label} description={hint} {...form.getInputProps(name, { type: 'checkbox' })} />,
  }
}

interface Secret<V> extends Omit<Texts, 'hint'> {
  hint?: Hint<V>
  placeholder?: string
  /** What is wrong with what is typed, though it will be taken. */
  warn?: (values: V) => string | false
}

/** A new password; where it was typed is never told. */
export function secret<V extends object>(name: Name<V, string>, { label, hint, placeholder, warn }: Secret<V>): Field<V> {
  return {
    name,
    label,
    show: () => '',
    input: (form) => (
      <Password
        label={label}
        description={typeof hint === 'function' ? hint(form.values) : hint}
        placeholder={placeholder}
        autoComplete="new-password"
        warning={warn?.(form.values)}
        {...form.getInputProps(name)}
      />
    ),
  }
}

interface Choice<T> extends Texts {
  options: { value: T; label: string }[]
  /** What nothing chosen is called; without it something is. */
  none?: string
  search?: boolean
  width?: number
}

/** One of some values, whatever they are. */
export function choice<V extends object, K extends keyof V & string>(
  name: K,
  { label, hint, options, none, search, width }: Choice<V[K]>,
): Field<V> {
  const find = (value: unknown) => options.findIndex((option) => same(option.value, value))
  return {
    name,
    label,
    show: (value) => options[find(value)]?.label ?? '',
    input: (form) => {
      const chosen = find(form.values[name])
      return (
        <Select
          label={label}
          description={hint}
          styles={{ wrapper: { maxWidth: width } }}
          data={options.map(({ label }, index) => ({ value: String(index), label }))}
          searchable={search}
          filter={search ? limited : undefined}
          limit={search ? MOST_CHOICES : undefined}
          nothingFoundMessage={search && i18next.t('word.nothing_found')}
          placeholder={none}
          clearable={none !== undefined}
          clearButtonProps={{ 'aria-label': i18next.t('action.clear') }}
          allowDeselect={false}
          error={form.errors[name]}
          value={chosen < 0 ? null : String(chosen)}
          onChange={(index) => {
            form.clearFieldError(name)
            form.setFieldValue(name, ((index === null ? null : options[Number(index)]!.value) as never))
          }}
        />
      )
    },
  }
}

/** Anything else. */
export function field<V extends object, K extends keyof V & string>(
  name: K,
  label: string,
  show: (value: V[K]) => string,
  input: (form: Form<V>) => ReactNode,
): Field<V> {
  return { name, label, show: (value) => show(value as V[K]), input }
}

/** What fields are called and how their values read, by their names. */
export function telling<V extends object>(fields: Field<V>[]) {
  const find = (name: string) => fields.find((one) => one.name === name)
  return {
    label: (name: string) => find(name)?.label ?? name,
    show: (name: string, value: unknown) => find(name)?.show(value) ?? plain(value),
  }
}
