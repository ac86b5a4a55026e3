// Somebody else changed what is being changed here: what is different, and whose is to stay.
import { Alert, Button, Group, Table, Text } from '@mantine/core'
import { IconUsers } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { differences } from './conflict'

interface Props<V extends object> {
  before: V
  theirs: V
  mine: V
  labels: Record<keyof V & string, string>
  show?: (field: keyof V & string, value: unknown) => string
  onMine: () => void
  onTheirs: () => void
}

export function Conflict<V extends object>({ before, theirs, mine, labels, show, onMine, onTheirs }: Props<V>) {
  const { t } = useTranslation()
  const text = (field: keyof V & string, value: unknown) => {
    if (show) return show(field, value) || t('conflict.empty')
    if (typeof value === 'boolean') return value ? t('word.yes') : t('word.no')
    return value === null || value === '' ? t('conflict.empty') : String(value)
  }
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
              <Table.Td>{labels[field]}</Table.Td>
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
