/**
 * Queries as the database's functions take them.
 */
import { matchesAll } from '../sql/query.ts'
import type { Query } from '../../ports/events.ts'

/** One item that matches everything in place of none. */
export const asQuery = (query: Query | undefined): Query =>
  query === undefined || matchesAll(query) ? [{}] : query
