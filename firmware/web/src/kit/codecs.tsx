// The codecs of an extension or an interface, in their order.
import i18next from 'i18next'
import type { Schemas } from '../api/client'
import { Ordered } from './Ordered'
import type { Field } from './fields'

type Codec = Schemas['Codec']

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
