// The rewriting rules of both numbers of a call, and what they make of a number that is typed.
import { Alert, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { apply, isIdentity, type Rule, type Rules } from './rewrite'
import classes from './routing.module.css'

interface Props {
  way: 'incoming' | 'outgoing'
  rules: Rules
  /** Numbers that the preview begins with. */
  called: string
  calling: string
  error?: ReactNode
  onChange: (rules: Rules) => void
}

export function Rewriting({ way, rules, called, calling, error, onChange }: Props) {
  return (
    <Stack gap="md">
      {error && (
        <Alert color="red" role="alert" p="xs">
          {error}
        </Alert>
      )}
      <Side way={way} side="called" rule={rules.called ?? {}} first={called} onChange={(called) => onChange({ ...rules, called })} />
      <Side way={way} side="calling" rule={rules.calling ?? {}} first={calling} onChange={(calling) => onChange({ ...rules, calling })} />
    </Stack>
  )
}

interface SideProps {
  way: Props['way']
  side: 'called' | 'calling'
  rule: Rule
  first: string
  onChange: (rule: Rule) => void
}

function Side({ way, side, rule, first, onChange }: SideProps) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState<string | null>(null)
  const number = typed ?? first
  const result = apply(rule, number.trim())
  // The exchange takes an external number where no rule says otherwise.
  const own = way === 'outgoing' && side === 'calling' && isIdentity(rule)
  return (
    <fieldset className={classes.rule}>
      <legend>{t(`rewrite.${side}`)}</legend>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="xs">
        <NumberInput
          label={t('rewrite.strip')}
          min={0}
          max={32}
          allowDecimal={false}
          allowNegative={false}
          clampBehavior="strict"
          value={rule.strip ?? 0}
          onChange={(strip) => onChange({ ...rule, strip: Number(strip) || 0 })}
        />
        <TextInput
          label={t('rewrite.prefix')}
          inputMode="tel"
          autoComplete="off"
          maxLength={32}
          value={rule.prefix ?? ''}
          onChange={(event) => onChange({ ...rule, prefix: event.currentTarget.value.trim() })}
        />
        <TextInput
          label={t(`rewrite.try_${side}`)}
          inputMode="tel"
          autoComplete="off"
          value={number}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <div>
          <Text size="sm" fw={500} component="div">
            {t(`rewrite.result_${way}`)}
          </Text>
          <output className={`${classes.result} figures`} aria-live="polite" aria-label={t(`rewrite.result_${way}`)}>
            {own ? t('rewrite.own') : result || t('rewrite.nothing')}
          </output>
        </div>
      </SimpleGrid>
    </fieldset>
  )
}
