// An address without a page.
import { Button } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Empty } from '../kit/Empty'
import { useTitle } from '../kit/Page'
import { Link } from '../kit/route'

export function NotFound() {
  const { t } = useTranslation()
  useTitle(t('not_found.title'))
  return (
    <Empty
      heading={1}
      icon={IconMapOff}
      title={t('not_found.title')}
      text={t('not_found.text')}
      action={
        <Button component={Link} to="/" variant="default">
          {t('not_found.back')}
        </Button>
      }
    />
  )
}
