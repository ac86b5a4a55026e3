// The sound of an extension or an interface: its codecs in their order, and whether it is encrypted.
import i18next from 'i18next'
import type { Schemas } from '../api/client'
import { Ordered } from './Ordered'
import { choice, type Field } from './fields'

type Codec = Schemas['Codec']
type Srtp = Schemas['Srtp']

/** Those first that the exchange translates; the others are passed on. */
const CODECS: Codec[] = ['pcma', 'pcmu', 'g722', 'gsm', 'g729', 'ilbc', 'speex', 'opus']

/** What is used where nothing else is said. */
export const USUAL_CODECS: Codec[] = CODECS.slice(0, 4)

const name = (codec: Codec) => i18next.t(`codec.${codec}`)

export function codecs<V extends { codecs: Codec[] }>(readOnly: boolean): Field<V> {
  const label = i18next.t('extension.codecs')
  return {
    name: 'codecs',
    label,
    show: (chosen) => (chosen as Codec[]).map(name).join(', '),
    input: (form) => (
      <Ordered
        label={label}
        hint={i18next.t('extension.codecs_hint')}
        items={form.values.codecs}
        options={CODECS.map((codec) => ({ value: codec, label: name(codec) }))}
        addLabel={i18next.t('extension.codec_add')}
        error={form.errors.codecs}
        readOnly={readOnly}
        onChange={(chosen) => {
          form.clearFieldError('codecs')
          form.setValues((values) => ({ ...values, codecs: chosen }))
        }}
      />
    ),
  }
}

const POLICIES: Srtp[] = ['off', 'offered', 'required']

export function srtp<V extends { srtp: Srtp }>(): Field<V> {
  return choice<{ srtp: Srtp }, 'srtp'>('srtp', {
    label: i18next.t('extension.srtp'),
    hint: i18next.t('extension.srtp_hint'),
    options: POLICIES.map((policy) => ({ value: policy, label: i18next.t(`srtp.${policy}`) })),
    width: 260,
  }) as unknown as Field<V>
}
