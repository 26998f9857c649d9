/**
 * What can be said of a query before the database is asked, whatever its dialect.
 */
import type { Query } from '../../ports/events.ts'

/** The types that a query asks for, if it asks for nothing but types; undefined if tags matter. */
export function typesOnly(query: Query): readonly string[] | undefined {
  const types = new Set<string>()
  for (const item of query) {
    if (item.types === undefined || (item.tags ?? []).length > 0) return undefined
    for (const type of item.types) types.add(type)
  }
  return [...types]
}

/** Whether every message matches. */
export function matchesAll(query: Query | undefined): boolean {
  if (query === undefined || query.length === 0) return true
  return query.some((item) => item.types === undefined && (item.tags ?? []).length === 0)
}
