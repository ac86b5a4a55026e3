// What is used of the limits now: read again every ten seconds, while the page is open.
import { Paper, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { answer, api, type Schemas } from '../../api/client'
import { useExtensions } from '../../api/configuration'
import { Link } from '../../kit/route'
import { Time } from '../../kit/Time'
import classes from './fraud.module.css'

type Used = Schemas['FraudUsed']

const AGAIN_MS = 10_000

export function Use() {
  const { t } = useTranslation()
  const extensions = useExtensions()
  const { data } = useQuery({
    queryKey: ['fraud-use'],
    queryFn: async ({ signal }) => answer(api.GET('/api/v1/fraud-protection/use', { signal })),
    refetchInterval: AGAIN_MS,
    retry: false,
  })
  // Where the exchange does not answer nothing is used either.
  if (!data) return null
  const cells = ({ calls, hour_s, day_s }: Used) => (
    <>
      <Table.Td className="figures">{calls}</Table.Td>
      {[hour_s, day_s].map((seconds, index) => (
        <Table.Td key={index} className="figures">
          {t('fraud.minutes', { minutes: Math.floor(seconds / 60) })}
        </Table.Td>
      ))}
    </>
  )
  return (
    <Paper withBorder component="section" p="lg" className={classes.use} aria-labelledby="fraud-use">
      <Title order={2} id="fraud-use">
        {t('fraud.used')}
      </Title>
      <Text size="sm" c="dimmed">
        {t(data.extensions.length > 0 ? 'fraud.used_text' : 'fraud.used_none')}
      </Text>
      {data.extensions.length > 0 && (
        <Table mt="sm" miw={480}>
          <Table.Thead>
            <Table.Tr>
              {(['extension', 'calls', 'hour', 'day', 'brake'] as const).map((column) => (
                <Table.Th key={column}>{t(`fraud.used_${column}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.extensions.map(({ extension, used, brake, at }) => (
              <Table.Tr key={extension}>
                <Table.Td>
                  <Link to={`/extensions/${extension}`} className={classes.link}>{extensions.data?.find(({ id }) => id === extension)?.number ?? extension}</Link>
                </Table.Td>
                {cells(used)}
                <Table.Td>
                  {brake && t(`brake.${brake}`)}
                  {at && (
                    <Text size="xs" c="dimmed" component="div">
                      <Time at={at} />
                    </Text>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
            <Table.Tr>
              <Table.Td>{t('fraud.all')}</Table.Td>
              {cells(data.exchange)}
              <Table.Td />
            </Table.Tr>
          </Table.Tbody>
        </Table>
      )}
    </Paper>
  )
}
