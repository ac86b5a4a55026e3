// The way of a call in words: its end first, then each step.
import { Alert, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import i18next from 'i18next'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useExtensions, useInterfaces, usePermissionGroups } from '../../api/configuration'
import { conditionText } from '../call-routing/condition'
import classes from './explainer.module.css'

type Explanation = Schemas['Explanation']
type Step = Explanation['steps'][number]

/** Network out of order (Q.850): no interface can take the call. */
const NO_WAY = 38

const LOOK = {
  good: { color: 'teal', Icon: IconCircleCheck },
  doubtful: { color: 'yellow', Icon: IconAlertTriangle },
  refused: { color: 'red', Icon: IconCircleX },
}

const isNone = (value: unknown): value is null | undefined => value === null || value === undefined

export function Explained({ explanation: { steps, verdict }, dialled }: { explanation: Explanation; dialled: string }) {
  const { t } = useTranslation()
  const extensions = useExtensions()
  const interfaces = useInterfaces()
  const groups = usePermissionGroups()
  const number = (id: number | null | undefined) => extensions.data?.find((one) => one.id === id)?.number ?? String(id ?? '')
  const way = (id: number) => interfaces.data?.find((one) => one.id === id)?.name ?? String(id)
  const emergency = steps.some(({ step }) => step === 'emergency')
  // A call for help is sent by what is not ready too.
  const doubtful = verdict.verdict === 'leaves' && !steps.some((step) => step.step === 'attempt' && step.ready)

  function text(step: Step): string {
    switch (step.step) {
      case 'caller':
        return t(step.active ? 'explained.caller' : 'explained.caller_disabled', { number: number(step.extension) })
      case 'incoming':
        return t('explained.incoming', { name: way(step.interface) })
      case 'emergency':
        return t(step.prefix ? 'explained.emergency_prefix' : 'explained.emergency', { number: step.number, prefix: step.prefix })
      case 'dialled':
        return t(step.valid ? 'explained.dialled' : 'explained.dialled_wrong', { text: step.text })
      case 'external':
        if (isNone(step.number)) return t('explained.external_none')
        return isNone(step.extension)
          ? t('explained.external_rule', { number: step.number })
          : t('explained.external', { number: step.number, extension: number(step.extension) })
      case 'rewritten':
        return t('explained.rewritten', { to: step.to })
      case 'dial_plan':
        return isNone(step.extension) ? t('explained.dial_plan_none') : t('explained.dial_plan', { extension: number(step.extension) })
      case 'operator':
        return isNone(step.extension) ? t('explained.operator_none') : t('explained.operator', { extension: number(step.extension) })
      case 'called':
        return t(step.active ? 'explained.called' : 'explained.called_disabled', { number: number(step.extension) })
      case 'own':
        return t('explained.own')
      case 'phones':
        return t('explained.phones', { count: step.registered })
      case 'ring': {
        const key = isNone(step.for_s) ? 'ring' : 'ring_for'
        return t(`explained.${key}`, { number: step.number ?? number(step.extension), after: step.after_s, for: step.for_s })
      }
      case 'forwarded':
        return t(`explained.forwarded_${step.why}`, { number: step.number ?? number(step.extension) })
      case 'do_not_disturb':
        return t('explained.do_not_disturb', { number: number(step.extension) })
      case 'circle':
        return t('explained.circle')
      case 'route':
        if (isNone(step.route)) return t('explained.route_none')
        if (emergency) return step.prefix ? t('explained.emergency_route', { prefix: step.prefix }) : t('explained.emergency_route_any')
        return step.prefix ? t('explained.route', { prefix: step.prefix }) : t('explained.route_any')
      case 'permission': {
        const name = groups.data?.find(({ id }) => id === step.group)?.name ?? String(step.group)
        const key = step.permission === 'allow' ? 'permitted' : 'not_permitted'
        return isNone(step.rule) ? t(`explained.${key}_default`, { name }) : t(`explained.${key}`, { name, prefix: step.rule })
      }
      case 'brakes': {
        const limit = (of: number | null | undefined) => (isNone(of) ? t('explained.brakes_none') : String(of))
        const said = t(isNone(step.costly) ? 'explained.brakes' : 'explained.brakes_costly', {
          number: number(step.extension),
          prefix: step.costly,
          calls: step.calls,
          calls_limit: limit(step.calls_limit),
          hour: Math.floor(step.hour_s / 60),
          hour_limit: limit(step.hour_limit_min),
          day: Math.floor(step.day_s / 60),
          day_limit: limit(step.day_limit_min),
        })
        return isNone(step.brake) ? said : `${said} ${t('explained.braked', { why: t(`brake.${step.brake}`) })}`
      }
      case 'caller_id':
        return isNone(step.extension) ? t('explained.hidden') : t('explained.shown', { extension: number(step.extension) })
      case 'attempt': {
        const key = step.ready ? 'attempt' : emergency ? 'attempt_last' : 'attempt_over'
        const of = interfaces.data?.find(({ id }) => id === step.interface)
        const why = of ? conditionText(of, t) : t('condition.unknown')
        return t(`explained.${key}`, { name: way(step.interface), called: step.called, calling: step.calling, why })
      }
    }
  }

  function end(): string {
    switch (verdict.verdict) {
      case 'rings':
        return t('explained.rings', { number: number(verdict.extension) })
      case 'leaves': {
        const attempts = steps.filter((step) => step.step === 'attempt')
        const first = attempts.find(({ ready }) => ready) ?? attempts[0]
        return first ? t(doubtful ? 'explained.doubtful' : 'explained.leaves', { name: way(first.interface), called: first.called }) : ''
      }
      case 'refused': {
        if (verdict.cause === NO_WAY) return t('explained.no_way', { status: verdict.status })
        const cause = `cause.${verdict.cause}`
        const why = i18next.exists(cause) ? t(cause as 'cause.1') : `Q.850 ${verdict.cause}`
        return t('explained.refused', { why, status: verdict.status })
      }
    }
  }

  const { color, Icon } = LOOK[verdict.verdict === 'refused' ? 'refused' : doubtful ? 'doubtful' : 'good']
  return (
    <Stack gap="sm" maw="44rem">
      <Alert color={color} icon={<Icon size={20} />} title={dialled}>
        <Text fw={550}>{end()}</Text>
      </Alert>
      <Title order={2}>{t('explained.steps')}</Title>
      <ol className={classes.steps}>
        {steps.map((step, index) => (
          // Steps have nothing but their order.
          <li key={index}>{text(step)}</li>
        ))}
      </ol>
    </Stack>
  )
}
