// Somebody else changed what is being changed here: what is different, and whose is to stay.
import { Alert, Button, Group, Table, Text } from '@mantine/core'
import { IconUsers } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { differences } from './conflict'
import { type Field, telling } from './fields'

interface Props<V extends object> {
  before: V
  theirs: V
  mine: V
  fields: Field<V>[]
  onMine: () => void
  onTheirs: () => void
}

export function Conflict<V extends object>({ before, theirs, mine, fields, onMine, onTheirs }: Props<V>) {
  const { t } = useTranslation()
  const { label, show } = telling(fields)
  const text = (field: string, value: unknown) => show(field, value) || t('conflict.empty')
  return (
    <Alert color="yellow" icon={<IconUsers size={18} />} title={t('conflict.title')} mx="md" mb="sm" role="alert">
      <Text size="sm">{t('conflict.text')}</Text>
      <Table fz="sm" mt="xs" verticalSpacing={4} withRowBorders={false}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('conflict.field')}</Table.Th>
            <Table.Th>{t('conflict.theirs')}</Table.Th>
            <Table.Th>{t('conflict.mine')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {differences(before, theirs, mine).map(({ field, theirs, mine, clash }) => (
            <Table.Tr key={field}>
              <Table.Td>{label(field)}</Table.Td>
              <Table.Td>{text(field, theirs)}</Table.Td>
              <Table.Td fw={clash ? 600 : undefined}>{clash ? text(field, mine) : t('conflict.untouched')}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Group gap="xs" mt="sm">
        <Button size="xs" onClick={onMine}>
          {t('conflict.keep_mine')}
        </Button>
        <Button size="xs" variant="default" onClick={onTheirs}>
          {t('conflict.take_theirs')}
        </Button>
      </Group>
    </Alert>
  )
}
