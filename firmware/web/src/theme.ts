// How everything looks: the one accent colour, fonts, sizes. Nothing else names a colour by its value.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

/** Petrol: calm, and far enough from the green, amber and red of states. */
const petrol: MantineColorsTuple = [
  '#e9f6f9', '#d3e9ef', '#a6d3df', '#77bccf', '#52a9c1',
  '#3b9db9', '#2b8aa5', '#147489', '#0b6478', '#03515f',
]

const dark: MantineColorsTuple = [
  '#d5dade', '#b4bcc2', '#98a2a9', '#6b757d', '#434c53',
  '#343c42', '#282f34', '#1f2529', '#191e22', '#13171a',
]

const FONT = '"Inter Variable", Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

export const theme = createTheme({
  colors: { petrol, dark },
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 7 },
  fontFamily: FONT,
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: {
    fontFamily: FONT,
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.375rem', lineHeight: '1.3' },
      h2: { fontSize: '1.125rem', lineHeight: '1.35' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: { defaultProps: { overlayProps: { backgroundOpacity: 0.45 } } },
    // The frame has the one banner there is.
    ModalHeader: { defaultProps: { role: 'none' } },
    DrawerHeader: { defaultProps: { role: 'none' } },
    ModalTitle: { defaultProps: { component: 'h2', fz: 'h3', fw: 650, lh: 'h3' } },
    DrawerTitle: { defaultProps: { component: 'h2', fz: 'h3', fw: 650, lh: 'h3' } },
    // What it begins with has a role that is no menu's.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
  },
})

/** Text that is quieter than the rest still has the contrast that people need (WCAG 1.4.3). */
export const variables: CSSVariablesResolver = () => ({
  variables: { '--row-height': '40px' },
  light: {
    '--mantine-color-dimmed': '#5a656d',
    '--mantine-color-placeholder': '#6b757d',
    '--mantine-color-error': '#c02a2a',
    '--mantine-color-yellow-light-color': '#805000',
    '--mantine-color-teal-light-color': '#066649',
    '--frame-back': '#f5f7f8',
    '--frame-line': '#dfe4e7',
    '--row-hover': '#f0f5f6',
  },
  dark: {
    '--mantine-color-dimmed': '#a3adb4',
    '--mantine-color-placeholder': '#8b959c',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-yellow-light': '#3f310f',
    '--mantine-color-yellow-light-color': '#ffdf8a',
    '--frame-back': '#191e22',
    '--frame-line': '#343c42',
    '--row-hover': '#262d32',
  },
})
