// What ends calls: restarting and powering off, and beginning as delivered.
import { Button, Menu, TextInput } from '@mantine/core'
import { IconChevronDown, IconPhone, IconPower, IconRestore, IconRotateClockwise } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { answer, api } from '../../api/client'
import { FormDialog } from '../../kit/FormDialog'
import { NAME } from '../../kit/fields'
import { done } from '../../kit/toast'
import { useOrder } from './order'

/** The menu of the machine asks for the same one. */
const WORD = 'RESET'

export function Restart() {
  const { t } = useTranslation()
  const order = useOrder()
  const [resetting, setResetting] = useState(false)
  return (
    <>
      <Menu position="bottom-end" withinPortal={false}>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} />}>
            {t('health.restart')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPhone size={16} />} onClick={() => void order('restart_exchange')}>
            {t('health.restart_exchange')}
          </Menu.Item>
          <Menu.Item leftSection={<IconRotateClockwise size={16} />} onClick={() => void order('reboot')}>
            {t('health.reboot')}
          </Menu.Item>
          <Menu.Item leftSection={<IconPower size={16} />} onClick={() => void order('power_off')}>
            {t('health.power_off')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item c="var(--mantine-color-error)" leftSection={<IconRestore size={16} />} onClick={() => setResetting(true)}>
            {t('health.factory_reset')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {resetting && <FactoryReset onClose={() => setResetting(false)} />}
    </>
  )
}

function FactoryReset({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <FormDialog
      title={t('factory_reset.title')}
      text={t('factory_reset.text')}
      initial={{ word: '' }}
      validate={{ word: (word) => (word === WORD ? null : t('factory_reset.wrong', { word: WORD })) }}
      fields={(form) => <TextInput label={t('factory_reset.word', { word: WORD })} data-autofocus {...NAME} {...form.getInputProps('word')} />}
      submitLabel={t('factory_reset.do')}
      danger
      act={async () => {
        await answer(api.POST('/api/v1/system/factory-reset'))
        done(t('factory_reset.done'))
        onClose()
      }}
      onClose={onClose}
    />
  )
}
