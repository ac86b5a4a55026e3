// Where phones find the exchange, as it is entered in them.
import { useQuery } from '@tanstack/react-query'
import i18next from 'i18next'
import { answer, api, type Schemas } from '../../api/client'

export type PhoneSetup = Schemas['PhoneSetup']

export async function phoneSetup(signal?: AbortSignal): Promise<PhoneSetup> {
  return answer(api.GET('/api/v1/phone-setup', { signal }))
}

/** Asked anew with the configuration, and where the exchange is back. */
export function usePhoneSetup(exchange: boolean) {
  return useQuery({ queryKey: ['config', 'phone-setup'], queryFn: ({ signal }) => phoneSetup(signal), enabled: exchange })
}

/** The fields of a phone, `here` being the address that this page has. */
export function serverFields({ servers, transports }: PhoneSetup, here = location.hostname) {
  const t = i18next.t
  const ports = new Set(transports.map(({ port }) => port))
  const server = servers.includes(here) ? here : servers[0]
  return [
    ...(server === undefined ? [] : [{ label: t('credentials.server'), value: server }]),
    ...[...ports].map((port) => {
      const by = transports.filter((one) => one.port === port).map(({ transport }) => transport.toUpperCase())
      return { label: t('credentials.port', { transports: by.join(', ') }), value: String(port) }
    }),
  ]
}
