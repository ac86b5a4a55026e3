// The navigation of the whole product. An entry stands here when its page works, in this order:
//
// Status: Dashboard, Calls, Conferences, Call Queues, Recorded Calls, System Health, Tasks, Call History
// Configuration: Users, Extensions, Dial Plan, Call Routing, Provisioned Phones, Conferences, Call
//   Queues, Ringing Groups, Auto Attendant Scripts, Voicemail, Emergency Numbers, Fraud Protection,
//   SSL Certificates, System, Advanced Options
// Definitions: Time Ranges, IP Address Groups, Call Permission Groups, Music On Hold
// Logs: Config, Debug, Error, Kernel, Security, Warning
import {
  IconAlertTriangle, IconBug, IconCpu, IconDeviceLandlinePhone, IconGauge, IconHeartbeat, IconHistory, IconListNumbers, IconPhone, IconPhoneCheck,
  IconHelpCircle, IconLockAccess, IconRoute, IconSettings, IconShieldDollar, IconShieldLock, IconTerminal2, IconUrgent, IconUsers, type TablerIcon,
} from '@tabler/icons-react'
import type { ParseKeys } from 'i18next'
import type { ComponentType } from 'react'

export interface Entry {
  /** Below /admin; a page with a dialog gets its row as `path/:id`. */
  path: string
  title: ParseKeys
  icon: TablerIcon
  page: () => Promise<{ default: ComponentType }>
  /** Only where there is somebody to ask about the machine. */
  machine?: true
}

export interface Group {
  title: ParseKeys
  entries: Entry[]
}

const logs = () => import('../pages/logs')

export const GROUPS: Group[] = [
  {
    title: 'nav.status',
    entries: [
      { path: 'dashboard', title: 'nav.dashboard', icon: IconGauge, page: () => import('../pages/dashboard') },
      { path: 'calls', title: 'nav.calls', icon: IconPhone, page: () => import('../pages/calls') },
      { path: 'health', title: 'nav.health', icon: IconHeartbeat, page: () => import('../pages/health'), machine: true },
      { path: 'call-history', title: 'nav.call_history', icon: IconPhoneCheck, page: () => import('../pages/call-history') },
    ],
  },
  {
    title: 'nav.configuration',
    entries: [
      { path: 'users', title: 'nav.users', icon: IconUsers, page: () => import('../pages/users') },
      { path: 'extensions', title: 'nav.extensions', icon: IconDeviceLandlinePhone, page: () => import('../pages/extensions') },
      { path: 'dial-plan', title: 'nav.dial_plan', icon: IconListNumbers, page: () => import('../pages/dial-plan') },
      { path: 'call-routing', title: 'nav.call_routing', icon: IconRoute, page: () => import('../pages/call-routing') },
      { path: 'call-explainer', title: 'nav.call_explainer', icon: IconHelpCircle, page: () => import('../pages/call-explainer') },
      { path: 'emergency-numbers', title: 'nav.emergency_numbers', icon: IconUrgent, page: () => import('../pages/emergency-numbers') },
      { path: 'fraud-protection', title: 'nav.fraud_protection', icon: IconShieldDollar, page: () => import('../pages/fraud-protection') },
      { path: 'system', title: 'nav.system', icon: IconSettings, page: () => import('../pages/system') },
    ],
  },
  {
    title: 'nav.definitions',
    entries: [
      {
        path: 'call-permission-groups', title: 'nav.call_permission_groups', icon: IconLockAccess,
        page: () => import('../pages/call-permission-groups'),
      },
    ],
  },
  {
    title: 'nav.logs',
    entries: [
      { path: 'config-log', title: 'nav.config_log', icon: IconHistory, page: () => logs().then(({ ConfigLog }) => ({ default: ConfigLog })) },
      { path: 'debug-log', title: 'nav.debug_log', icon: IconTerminal2, page: () => logs().then(({ DebugLog }) => ({ default: DebugLog })) },
      { path: 'error-log', title: 'nav.error_log', icon: IconBug, page: () => logs().then(({ ErrorLog }) => ({ default: ErrorLog })) },
      { path: 'kernel-log', title: 'nav.kernel_log', icon: IconCpu, page: () => logs().then(({ KernelLog }) => ({ default: KernelLog })) },
      { path: 'security-log', title: 'nav.security_log', icon: IconShieldLock, page: () => logs().then(({ SecurityLog }) => ({ default: SecurityLog })) },
      { path: 'warning-log', title: 'nav.warning_log', icon: IconAlertTriangle, page: () => logs().then(({ WarningLog }) => ({ default: WarningLog })) },
    ],
  },
]

/** Where somebody arrives who named no page. */
export const START = GROUPS[0]!.entries[0]!
