// Where the pages begin.
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './global.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/problem'
import { Root } from './frame/Root'
import { startI18n } from './i18n'
import { ConfirmHost } from './kit/confirm'
import { HelpDrawer } from './kit/help'
import { OnceHost } from './kit/once'
import { theme, variables } from './theme'

const TRIES = 2
/** Events tell of changes; this is for what they don't tell of. */
const STALE_MS = 5 * 60_000

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: STALE_MS,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < TRIES && ['unreachable', 'busy', 'timeout'].includes(Problem.from(error).code),
    },
  },
})

void startI18n().then(() =>
  createRoot(document.getElementById('root')!).render(
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Root />
        <HelpDrawer />
        <OnceHost />
        <ConfirmHost />
        <Notifications position="bottom-right" zIndex={500} />
      </QueryClientProvider>
    </MantineProvider>,
  ),
)
