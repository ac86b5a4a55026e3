import i18next from 'i18next'
import { beforeAll, expect, it } from 'vitest'
import en from '../../i18n/en.json'
import { type PhoneSetup, serverFields } from './server'

beforeAll(() => i18next.init({ lng: 'en', resources: { en: { translation: en } } }))

const setup: PhoneSetup = {
  servers: ['192.168.1.10', '10.0.0.1'],
  only_here: false,
  transports: [
    { transport: 'udp', port: 5060 },
    { transport: 'tcp', port: 5060 },
    { transport: 'tls', port: 5061 },
  ],
}

it('names the likeliest server, or the one that these pages came from, and each port once', () => {
  expect(serverFields(setup, 'localhost').map(({ value }) => value)).toEqual(['192.168.1.10', '5060', '5061'])
  expect(serverFields(setup, '10.0.0.1')[0]!.value).toBe('10.0.0.1')
  expect(serverFields(setup, 'localhost').map(({ label }) => label)).toEqual([
    'Server (registrar, domain)', 'Port (UDP, TCP)', 'Port (TLS)',
  ])
})
