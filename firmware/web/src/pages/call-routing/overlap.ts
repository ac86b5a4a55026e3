// Where extensions and routes get in each other's way: what an extension has as its number never goes out.
import type { Extension, Interface, Route } from '../../api/configuration'

/** The route by which an extension's number would go out: of those that fit it, the one with the longest prefix. */
export function routeOver(number: string, routes: Route[]): Route | undefined {
  return routes
    .filter(({ prefix, enabled }) => enabled && prefix !== '' && number.startsWith(prefix))
    .sort((one, other) => other.prefix.length - one.prefix.length)[0]
}

/** The extensions whose numbers begin with a route's prefix. An empty one fits every number, and means nothing. */
export function extensionsUnder(prefix: string, extensions: Extension[]): string[] {
  if (prefix === '') return []
  return extensions.map(({ number }) => number).filter((number) => number.startsWith(prefix)).sort()
}

/** By what a route leads out, as people know it. */
export function nameOf(route: Route, interfaces: Interface[]): string {
  return route.interfaces.flatMap((id) => interfaces.find((one) => one.id === id)?.name ?? []).join(', ') || route.description
}
