// What is entered in a phone, told once.
import i18next from 'i18next'
import { showOnce } from '../../kit/once'
import { phoneSetup, serverFields } from './server'

interface Account {
  number: string
  sip_username: string
  sip_password: string
}

export async function showCredentials(accounts: Account[]) {
  if (accounts.length === 0) return
  // Without the exchange nobody knows where it will be; the secret is told in any case.
  const server = await phoneSetup().then((setup) => serverFields(setup), () => [])
  const t = i18next.t
  showOnce({
    title: t('credentials.title'),
    notice: t('credentials.notice'),
    text: t('credentials.text'),
    groups: accounts.map(({ number, sip_username, sip_password }) => ({
      title: t('credentials.of', { number }),
      fields: [
        ...server,
        { label: t('credentials.username'), value: sip_username },
        { label: t('credentials.password'), value: sip_password, secret: true },
      ],
    })),
  })
}
