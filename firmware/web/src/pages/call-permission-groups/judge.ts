// What the rules of a call permission group say, by the same words as the exchange.
import type { Schemas } from '../../api/client'

export type Rule = Schemas['PermissionRule']
export type Permission = Schemas['Permission']

/** What becomes of a number, and the place of the rule that says so; none where it is the default. */
export function judge(rules: Rule[], otherwise: Permission, dialled: string): { permission: Permission; place?: number } {
  const index = rules.findIndex(({ prefix }) => prefix !== '' && dialled.startsWith(prefix))
  return index < 0 ? { permission: otherwise } : { permission: rules[index]!.permission, place: index + 1 }
}

/** The place of the rule that leaves nothing to the one at `index`, where there is one. */
export function coveredBy(rules: Rule[], index: number): number | undefined {
  const { prefix } = rules[index]!
  const before = rules.findIndex((rule) => rule.prefix !== '' && prefix.startsWith(rule.prefix))
  return before >= 0 && before < index ? before + 1 : undefined
}

/** Whether a number that begins so can leave by one of these prefixes of routes. */
export function canLeave(prefix: string, routes: string[]): boolean {
  return routes.some((route) => route.startsWith(prefix) || prefix.startsWith(route))
}
