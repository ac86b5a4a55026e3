// The extensions of one user: unassigned ones are added, new ones made, others given back.
import { ActionIcon, Badge, Button, Group, Select, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Extension, suggestNumber } from '../../api/configuration'
import { limited, MOST_CHOICES } from '../../kit/limited'
import { failed } from '../../kit/toast'
import { NumberOverlap } from '../call-routing/Overlap'
import classes from './users.module.css'

/** An extension of the user; without an id one that is made when the user is saved. */
export interface Own {
  id: number | null
  number: string
}

interface Props {
  all: Extension[]
  own: Own[]
  error: ReactNode
  /** What is wrong with a new one, by its place among them. */
  faults: Record<string, string>
  onChange: (own: Own[]) => void
  readOnly: boolean
}

export function Extensions({ all, own, error, faults, onChange, readOnly }: Props) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const [making, setMaking] = useState(false)
  const list = useRef<HTMLUListElement>(null)
  const made = useRef(false)
  const now = useRef(own)
  useEffect(() => {
    now.current = own
    if (!made.current) return
    made.current = false
    // Who makes an extension looks at its number next.
    list.current?.querySelector<HTMLInputElement>('li:last-child input')?.select()
  }, [own])
  const free = all.filter(({ id, user }) => (user ?? null) === null && !own.some((one) => one.id === id))

  const isTaken = (one: Own) =>
    all.some(({ number }) => number === one.number) || own.some((other) => other !== one && other.number === one.number)

  const faultOf = (one: Own) => faults[own.filter(({ id }) => id === null).indexOf(one)]

  async function make() {
    setMaking(true)
    try {
      const taken = now.current.filter(({ id }) => id === null).map(({ number }) => number)
      let number = await suggestNumber()
      while (taken.includes(number)) number = await suggestNumber(String(Number(number) + 1))
      // Something else may have changed while the number was looked for.
      made.current = true
      onChange([...now.current, { id: null, number }])
    } catch (error) {
      failed(error)
    } finally {
      setMaking(false)
    }
  }

  return (
    <Stack gap="md">
      {own.length > 0 && (
        <ul className={classes.own} ref={list}>
          {own.map((extension, index) => (
            <li key={extension.id ?? `new ${index}`}>
              {extension.id === null && !readOnly ? (
                <TextInput
                  size="xs"
                  w={110}
                  className="figures"
                  aria-label={t('user.extension_number')}
                  inputMode="numeric"
                  maxLength={16}
                  value={extension.number}
                  error={isTaken(extension) || faultOf(extension) !== undefined}
                  onChange={(event) => {
                    const number = event.currentTarget.value.trim()
                    onChange(own.map((one) => (one === extension ? { ...one, number } : one)))
                  }}
                />
              ) : (
                <span className="figures">{extension.number}</span>
              )}
              {faultOf(extension) ? (
                <Text component="span" size="sm" c="var(--mantine-color-error)" flex={1} role="alert">
                  {faultOf(extension)}
                </Text>
              ) : (
                <Text component="span" size="sm" c="dimmed" flex={1} truncate>
                  {all.find(({ id }) => id === extension.id)?.description}
                </Text>
              )}
              {extension.id === null && <Badge variant="light">{t('user.extension_new')}</Badge>}
              {!readOnly && (
                <Tooltip label={t('user.extension_off', { number: extension.number })}>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('user.extension_off', { number: extension.number })}
                    onClick={() => onChange(own.filter((one) => one !== extension))}
                  >
                    <IconX size={16} />
                  </ActionIcon>
                </Tooltip>
              )}
            </li>
          ))}
        </ul>
      )}
      {own.map((one, index) => one.id === null && <NumberOverlap key={index} number={one.number} />)}
      {own.some((one) => one.id === null && isTaken(one)) && (
        <Text size="sm" c="var(--mantine-color-error)">
          {t('user.extension_taken')}
        </Text>
      )}
      {own.length === 0 && <Text size="sm">{t('user.extensions_none')}</Text>}
      {error && Object.keys(faults).length === 0 && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {error}
        </Text>
      )}
      {!readOnly && (
        <Group gap="xs" align="flex-end">
          <Select
            label={t('user.extension_add')}
            placeholder={
              free.length > 0
                ? t('user.extension_pick')
                : all.length > 0
                  ? t('user.extension_no_free')
                  : t('extensions.empty')
            }
            data={free.map(({ id, number, description }) => ({
              value: String(id),
              label: description ? `${number} – ${description}` : number,
            }))}
            disabled={free.length === 0}
            searchable
            filter={limited}
            limit={MOST_CHOICES}
            nothingFoundMessage={t('word.nothing_found')}
            flex={1}
            miw={200}
            value={null}
            searchValue={search}
            onSearchChange={setSearch}
            onChange={(id) => {
              const extension = free.find((one) => String(one.id) === id)
              setSearch('')
              if (extension) onChange([...own, { id: extension.id, number: extension.number }])
            }}
          />
          <Button variant="default" leftSection={<IconPlus size={16} />} loading={making} onClick={() => void make()}>
            {t('user.extension_make')}
          </Button>
        </Group>
      )}
    </Stack>
  )
}
