// A user gets another password.
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { useRefresh, type User } from '../../api/configuration'
import { FormDialog } from '../../kit/FormDialog'
import { ALIKE, NewPasswords } from '../../kit/Password'
import { done } from '../../kit/toast'

export function NewPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const refresh = useRefresh()
  const { id, name } = user
  return (
    <FormDialog
      title={t('new_password.title', { name })}
      text={t('new_password.text')}
      initial={{ password: '', again: '' }}
      validate={ALIKE}
      submitLabel={t('new_password.set')}
      onClose={onClose}
      act={async ({ password }) => {
        await answer(api.PUT('/api/v1/users/{id}/password', { params: { path: { id } }, body: { password } }))
        done(t('new_password.done', { name }))
        await refresh()
        onClose()
      }}
      fields={(form) => <NewPasswords form={form} first />}
    />
  )
}
