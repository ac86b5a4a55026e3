// Which rows stand out, and in which colour.
import { ActionIcon, Button, Checkbox, ColorSwatch, Group, Modal, Select, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { type Colour, COLOURS, MOST_RULES, readable, type Rule } from './highlight'
import classes from './logs.module.css'

interface Props {
  rules: Rule[]
  onChange: (rules: Rule[]) => void
  onClose: () => void
}

const swatch = (colour: Colour) => <ColorSwatch size={16} color={`var(--mantine-color-${colour}-5)`} withShadow={false} />

export function HighlightDialog({ rules, onChange, onClose }: Props) {
  const { t } = useTranslation()
  const shown = rules.length > 0 ? rules : [{ pattern: '', regex: false, colour: COLOURS[0] }]
  const change = (index: number, part: Partial<Rule>) =>
    onChange(shown.map((rule, at) => (at === index ? { ...rule, ...part } : rule)))
  const free = COLOURS.find((colour) => shown.every((rule) => rule.colour !== colour)) ?? COLOURS[0]
  return (
    <Modal opened onClose={onClose} title={t('highlight.title')} closeButtonProps={{ 'aria-label': t('action.close') }} size="lg">
      <Stack gap="md">
        <Text size="sm">{t('highlight.text')}</Text>
        {shown.map((rule, index) => (
          <Group key={index} gap="xs" align="start" component="section" aria-label={t('highlight.rule', { number: index + 1 })}>
            <TextInput
              flex={1}
              miw={160}
              maxLength={200}
              spellCheck={false}
              aria-label={t('highlight.pattern')}
              placeholder={t('highlight.pattern')}
              data-autofocus={index === 0 || undefined}
              value={rule.pattern}
              error={readable(rule) ? undefined : t('highlight.unreadable')}
              onChange={(event) => change(index, { pattern: event.currentTarget.value })}
            />
            <Select
              w={130}
              aria-label={t('highlight.colour')}
              allowDeselect={false}
              data={COLOURS.map((colour) => ({ value: colour, label: t(`colour.${colour}`) }))}
              leftSection={swatch(rule.colour)}
              renderOption={({ option }) => (
                <Group gap="xs">
                  {swatch(option.value as Colour)}
                  {option.label}
                </Group>
              )}
              value={rule.colour}
              onChange={(colour) => colour && change(index, { colour: colour as Colour })}
            />
            <Checkbox
              className={classes.regex}
              label={t('highlight.regex')}
              checked={rule.regex}
              onChange={(event) => change(index, { regex: event.currentTarget.checked })}
            />
            <Tooltip label={t('highlight.remove')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={36}
                aria-label={t('highlight.remove')}
                onClick={() => onChange(rules.filter((_, at) => at !== index))}
              >
                <IconX size={16} />
              </ActionIcon>
            </Tooltip>
          </Group>
        ))}
        <Group justify="space-between" gap="xs">
          <Button
            variant="default"
            leftSection={<IconPlus size={16} />}
            disabled={shown.length >= MOST_RULES}
            onClick={() => onChange([...shown, { pattern: '', regex: false, colour: free }])}
          >
            {t('highlight.add')}
          </Button>
          <Button onClick={onClose}>{t('action.close')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
