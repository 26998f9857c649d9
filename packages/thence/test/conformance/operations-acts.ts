/** Random operations on what operators do: the audit log and jobs. */
import * as fc from 'fast-check'
import { compact, define, limit, name, type Operation, optional, small } from './operation.ts'

export const audit: readonly fc.Arbitrary<Operation>[] = [
  define('add entry', fc.tuple(name, name, small), ({ audit: entries }, [id, target, time]) =>
    entries.add({ id, time, actor: 'a', action: 'act', target, details: '{}', reason: null }),
  ),
  define(
    'list entries',
    fc.record({
      target: optional(name),
      after: optional(name),
      before: optional(name),
      backwards: optional(fc.boolean()),
      limit,
    }),
    ({ audit: entries }, { limit: most, ...filter }) =>
      entries.list({ limit: most, ...compact(filter) }),
  ),
  define('trim entries', fc.tuple(small, limit), ({ audit: entries }, [before, most]) =>
    entries.trim(before, most),
  ),
]

export const jobs: readonly fc.Arbitrary<Operation>[] = [
  define(
    'save job',
    fc.record({
      id: name,
      expected: fc.integer({ min: 0, max: 2 }),
      state: fc.constantFrom('running' as const, 'paused' as const, 'done' as const),
      updated: small,
    }),
    ({ jobs: rows }, { id, expected, state, updated }) => {
      const rest = { kind: 'k', spec: '{}', progress: '{}', total: null, next: 0, version: 0 }
      const job = { ...rest, id, state, created: 0, updated, actor: 'a', error: null }
      return rows.save(job, expected)
    },
  ),
  define(
    'list jobs',
    fc.record({
      state: optional(fc.constantFrom('running' as const, 'done' as const)),
      before: optional(name),
      limit,
    }),
    ({ jobs: rows }, { limit: most, ...filter }) => rows.list({ limit: most, ...compact(filter) }),
  ),
  define('trim jobs', fc.tuple(small, limit), ({ jobs: rows }, [before, most]) =>
    rows.trim(before, most),
  ),
]
