// Rows of logs are English whatever the pages speak (WEB-3): who reads another language is told why.
import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

export function English() {
  const { t, i18n } = useTranslation()
  if (i18n.language === 'en') return null
  return (
    <Text size="xs" c="dimmed">
      {t('log.english')}
    </Text>
  )
}
