// The rules of a group in their order: by buttons, and by the arrow keys upon a button.
import { ActionIcon, Button, Group, Input, NativeSelect, Text, TextInput, Tooltip } from '@mantine/core'
import { IconAlertTriangle, IconArrowDown, IconArrowUp, IconPlus, IconX } from '@tabler/icons-react'
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { canLeave, coveredBy, type Permission, type Rule } from './judge'
import classes from './permissions.module.css'

interface Props {
  rules: Rule[]
  /** Prefixes of the routes; nothing where they are not known. */
  routes?: string[]
  error?: ReactNode
  onChange: (rules: Rule[]) => void
  readOnly: boolean
}

const PREFIX = /^(\+|\+?[0-9*#]+)$/

export function Rules({ rules, routes, error, onChange, readOnly }: Props) {
  const { t } = useTranslation()
  const list = useRef<HTMLOListElement>(null)
  /** What has to have the focus once the rules are drawn anew. */
  const next = useRef<string | null>(null)
  useEffect(() => {
    if (next.current) list.current?.querySelector<HTMLElement>(next.current)?.focus()
    next.current = null
  })

  const set = (index: number, change: Partial<Rule>) => onChange(rules.map((rule, at) => (at === index ? { ...rule, ...change } : rule)))

  function move(index: number, by: -1 | 1) {
    const to = index + by
    if (to < 0 || to >= rules.length) return
    const moved = [...rules]
    ;[moved[index], moved[to]] = [moved[to]!, moved[index]!]
    next.current = `[data-rule="${to}"][data-way="${by < 0 ? 'up' : 'down'}"]`
    onChange(moved)
  }

  function onKey(event: KeyboardEvent, index: number) {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    event.preventDefault()
    move(index, event.key === 'ArrowUp' ? -1 : 1)
  }

  function hint(rule: Rule, index: number): string | undefined {
    const prefix = rule.prefix.trim()
    if (prefix === '') return undefined
    const place = coveredBy(rules, index)
    if (place) return t('permissions.covered', { place })
    return routes && !canLeave(prefix, routes) ? t('permissions.no_route') : undefined
  }

  return (
    <Input.Wrapper label={t('permissions.rules')} labelElement="div" description={t('permissions.rules_hint')} error={error}>
      {rules.length > 0 && (
        <ol className={classes.rules} ref={list} aria-label={t('permissions.rules')} style={{ marginTop: 6 }}>
          {rules.map((rule, index) => {
            const place = index + 1
            const name = t('permissions.rule', { place })
            const told = hint(rule, index)
            return (
              <li key={index}>
                <span className={`${classes.place} figures`}>{place}</span>
                <TextInput
                  aria-label={t('permissions.prefix_of', { place })}
                  placeholder={t('permissions.prefix')}
                  data-rule={index}
                  data-way="prefix"
                  value={rule.prefix}
                  readOnly={readOnly}
                  error={Boolean(error) && !PREFIX.test(rule.prefix.trim())}
                  aria-describedby={told ? `rule-hint-${index}` : undefined}
                  inputMode="tel"
                  autoComplete="off"
                  maxLength={32}
                  onChange={(event) => set(index, { prefix: event.currentTarget.value })}
                />
                <PermissionSelect
                  label={t('permissions.permission_of', { place })}
                  value={rule.permission}
                  onChange={(permission) => set(index, { permission })}
                />
                {readOnly ? (
                  <span />
                ) : (
                  <Group gap={0} wrap="nowrap" onKeyDown={(event) => onKey(event, index)}>
                    {(['up', 'down'] as const).map((way) => (
                      <Tooltip key={way} label={t(`ordered.${way}`, { name })}>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          data-rule={index}
                          data-way={way}
                          aria-label={t(`ordered.${way}`, { name })}
                          aria-disabled={index === (way === 'up' ? 0 : rules.length - 1) || undefined}
                          data-disabled={index === (way === 'up' ? 0 : rules.length - 1) || undefined}
                          onClick={() => move(index, way === 'up' ? -1 : 1)}
                        >
                          {way === 'up' ? <IconArrowUp size={16} /> : <IconArrowDown size={16} />}
                        </ActionIcon>
                      </Tooltip>
                    ))}
                    <Tooltip label={t('ordered.off', { name })}>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        aria-label={t('ordered.off', { name })}
                        onClick={() => onChange(rules.filter((_, at) => at !== index))}
                      >
                        <IconX size={16} />
                      </ActionIcon>
                    </Tooltip>
                  </Group>
                )}
                {told && (
                  <Text size="xs" className={classes.hint} id={`rule-hint-${index}`}>
                    <IconAlertTriangle size={14} aria-hidden className={classes.warn} /> {told}
                  </Text>
                )}
              </li>
            )
          })}
        </ol>
      )}
      {!readOnly && (
        <Button
          variant="default"
          mt="xs"
          leftSection={<IconPlus size={16} />}
          disabled={rules.length >= 500}
          onClick={() => {
            next.current = `[data-rule="${rules.length}"][data-way="prefix"]`
            onChange([...rules, { prefix: '', permission: 'deny' }])
          }}
        >
          {t('permissions.rule_add')}
        </Button>
      )}
    </Input.Wrapper>
  )
}

interface SelectProps {
  label: string
  /** The label stands above it. */
  shown?: boolean
  value: Permission
  onChange: (permission: Permission) => void
}

export function PermissionSelect({ label, shown, value, onChange }: SelectProps) {
  const { t } = useTranslation()
  return (
    <NativeSelect
      label={shown ? label : undefined}
      aria-label={shown ? undefined : label}
      data={(['allow', 'deny'] as const).map((value) => ({ value, label: t(`permission.${value}`) }))}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as Permission)}
    />
  )
}
