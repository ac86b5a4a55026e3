// Where phones find the exchange, to be entered in them.
import { SimpleGrid, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useLine } from '../../api/live'
import { Link } from '../../kit/route'
import { CopyField } from '../../kit/small'
import classes from './extensions.module.css'
import { serverFields, usePhoneSetup } from './server'

export function ServerFields() {
  const { exchange } = useLine()
  const { t } = useTranslation()
  const { data } = usePhoneSetup(exchange)
  if (!exchange) {
    return (
      <Text size="sm" mt="xs">
        {t('extension.server_unknown')}{' '}
        <Link to="/error-log" className={classes.link}>
          {t('extension.server_reason')}
        </Link>
      </Text>
    )
  }
  if (!data) return null
  return (
    <div>
      <SimpleGrid cols={{ base: 1, sm: 3 }} mt="sm" spacing="xs" maw={760}>
        {serverFields(data).map((field) => (
          <CopyField key={field.label} {...field} />
        ))}
      </SimpleGrid>
      {data.only_here && (
        <Text size="sm" mt="xs">
          {t('steps.only_here')}
        </Text>
      )}
    </div>
  )
}
