// A page that failed: mostly one whose script is gone, since the box got another version meanwhile.
import { Button } from '@mantine/core'
import { IconRefreshAlert } from '@tabler/icons-react'
import { Component, type ErrorInfo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Empty } from '../kit/Empty'

export class CatchCrash extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack)
  }

  override render() {
    return this.state.failed ? <Crash /> : this.props.children
  }
}

function Crash() {
  const { t } = useTranslation()
  return (
    <Empty
      heading={1}
      icon={IconRefreshAlert}
      title={t('crash.title')}
      text={t('crash.text')}
      action={<Button onClick={() => location.reload()}>{t('crash.reload')}</Button>}
    />
  )
}
