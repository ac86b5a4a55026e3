// An extension gets another SIP password, made by the box or chosen.
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { type Extension, useRefresh } from '../../api/configuration'
import { Problem } from '../../api/problem'
import { FormDialog } from '../../kit/FormDialog'
import { Password } from '../../kit/Password'
import { isGuessable } from './strength'
import { showCredentials } from './credentials'

export function NewSipPassword({ extension, onClose }: { extension: Extension; onClose: () => void }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const { id, number, sip_username } = extension
  return (
    <FormDialog
      title={t('sip_password.title', { number })}
      text={t('sip_password.text')}
      initial={{ sip_password: '' }}
      submitLabel={t('sip_password.set')}
      onClose={onClose}
      act={async (values) => {
        const body = { password: values.sip_password || null }
        const { sip_password } = await answer(api.POST('/api/v1/extensions/{id}/sip-password', { params: { path: { id } }, body })).catch(
          (error) => {
            const { code, detail, errors } = Problem.from(error)
            throw new Problem({ code, detail, errors: errors.map((fault) => ({ ...fault, pointer: '/sip_password' })) })
          },
        )
        await showCredentials([{ ...extension, sip_password }])
        onClose()
        await refresh()
      }}
      fields={(form) => (
        <Password
          warning={isGuessable(form.values.sip_password, [sip_username, number]) && t('extension.sip_password_guessable')}
          label={t('extension.sip_password')}
          placeholder={t('extension.sip_password_made')}
          description={t('extension.sip_password_hint')}
          autoComplete="new-password"
          data-autofocus
          {...form.getInputProps('sip_password')}
        />
      )}
    />
  )
}
