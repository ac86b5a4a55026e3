// Where the pages begin.
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './global.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { watchDeeds } from './api/client'
import { Problem } from './api/problem'
import { loadLogIn } from './frame/LogInAgain'
import { Root } from './frame/Root'
import { startI18n } from './i18n'
import { loadQuestion } from './kit/confirm'
import { keepFocus } from './kit/focus'
import { HelpHost } from './kit/help'
import { Host } from './kit/host'
import { loadNotices } from './kit/toast'
import { theme, variables } from './theme'

const TRIES = 2
/** Events tell of changes; this is for what they don't tell of. */
const STALE_MS = 5 * 60_000

/** By then the page is there. What tells that the box is away has to be here before it is. */
const IDLE_MS = 5_000

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
        <HelpHost />
        <Host />
      </QueryClientProvider>
    </MantineProvider>,
  ),
)

keepFocus()
watchDeeds()

setTimeout(() => {
  for (const load of [loadNotices, loadQuestion, loadLogIn]) load().catch(() => undefined)
}, IDLE_MS)
