// The machine is somebody else's: nothing of it is set here.
import { Alert } from '@mantine/core'
import { IconInfoCircle, IconServerOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useMachine } from '../../api/machine'
import { Empty } from '../../kit/Empty'

export function Elsewhere() {
  const { t } = useTranslation()
  return <Empty icon={IconServerOff} title={t('machine.elsewhere')} text={t('problem.no_system')} />
}

/** The same where it is shown all the same. */
export function OnlyShown() {
  const { t } = useTranslation()
  if (useMachine() !== 'shown') return null
  return (
    <Alert color="gray" icon={<IconInfoCircle size={18} />} title={t('machine.elsewhere')} maw="44rem">
      {t('problem.no_system')}
    </Alert>
  )
}
