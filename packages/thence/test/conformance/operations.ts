/** Random operations on every port. */
import * as fc from 'fast-check'
import { message } from '../../src/conformance/samples.ts'
import type { AppendRequest, NewMessage, Query, Verdict } from '../../src/ports/events.ts'
import { audit, jobs } from './operations-acts.ts'
import { history } from './operations-history.ts'
import { letters } from './operations-letters.ts'
import { timers } from './operations-timers.ts'
import {
  compact,
  define,
  limit,
  name,
  type Operation,
  optional,
  place,
  small,
  types,
} from './operation.ts'

const tags = ['order:1', 'order:2', 'customer:1']

/** The same id mostly means the same message, so that requests repeat. */
const newMessage: fc.Arbitrary<NewMessage> = fc
  .record({ id: fc.integer({ min: 1, max: 16 }), changed: fc.integer({ min: 0, max: 12 }) })
  .map(({ id, changed }) =>
    message(`m${id}`, {
      type: types[id % 3] ?? '',
      tags: tags.filter((_, index) => (id >> index) % 2 === 1),
      correlationId: id % 4 === 0 ? 'm1' : null,
      ...(changed === 0 && { data: '"changed"' }),
      ...(changed === 1 && { type: 'Changed' }),
    }),
  )

const query: fc.Arbitrary<Query> = fc.array(
  fc
    .record({ types: optional(fc.subarray(types)), tags: optional(fc.subarray(tags)) })
    .map(compact),
  { maxLength: 3 },
)

export const request: fc.Arbitrary<AppendRequest> = fc
  .record({
    stream: name,
    messages: fc.uniqueArray(newMessage, { maxLength: 3, selector: ({ id }) => id }),
    expected: optional(fc.oneof(small, fc.constantFrom('none' as const, 'exists' as const))),
    condition: optional(fc.record({ query, after: place })),
    once: optional(fc.record({ consumer: fc.constant('c'), id: name })),
  })
  .map(({ stream, messages, once, ...rest }) => ({
    stream,
    messages,
    ...compact(rest),
    // Only with `once` may the list be empty.
    ...compact({ once: once ?? (messages.length === 0 ? { consumer: 'c', id: 'x' } : undefined) }),
  }))

/** Leaves out which one of several is named: the contract leaves that open. */
export const comparable = (verdict: Verdict): unknown => {
  if (verdict.outcome === 'condition-failed' || verdict.outcome === 'id-reused')
    return verdict.outcome
  return verdict
}

const events: readonly fc.Arbitrary<Operation>[] = [
  define('append', request, async (transaction, input) =>
    comparable(await transaction.events.append(input)),
  ),
  define(
    'readStream',
    fc.tuple(
      name,
      fc.record({
        from: optional(place),
        backwards: optional(fc.boolean()),
        maxBytes: optional(fc.integer({ min: 0, max: 60 })),
        limit,
      }),
    ),
    (transaction, [stream, { limit: most, ...options }]) =>
      transaction.events.readStream(stream, { limit: most, ...compact(options) }),
  ),
  define(
    'readAll',
    fc.record({
      query: optional(query),
      after: optional(place),
      before: optional(place),
      backwards: optional(fc.boolean()),
      maxBytes: optional(fc.integer({ min: 0, max: 60 })),
      limit,
    }),
    async (transaction, { limit: most, ...options }) => {
      const page = await transaction.events.readAll({ limit: most, ...compact(options) })
      return options.backwards === true ? page.messages : page
    },
  ),
  define('streams', fc.record({ after: optional(name), limit }), (transaction, options) =>
    transaction.events.streams({ limit: options.limit, ...compact({ after: options.after }) }),
  ),
  ...history,
  define('find', fc.constantFrom('m1', 'm2', 'm4'), async ({ events: log }, id) => [
    await log.find({ id }),
    await log.find({ correlationId: id }),
    await log.head(),
  ]),
]

const checkpoints: readonly fc.Arbitrary<Operation>[] = [
  define(
    'move',
    fc.record({
      of: name,
      position: small,
      generation: small,
      stale: fc.integer({ min: 0, max: 3 }),
    }),
    async ({ checkpoints: rows }, { of, position, generation, stale }) => {
      const seen = stale === 0 ? undefined : await rows.load(of)
      return rows.move(
        of,
        seen ?? { position: 0, generation: stale === 0 ? generation : 0 },
        position,
      )
    },
  ),
  define('restart', fc.tuple(name, small), ({ checkpoints: rows }, [of, to]) =>
    rows.restart(of, to),
  ),
  define('ask', name, ({ checkpoints: rows }, of) => rows.ask(of)),
  define('checkpoints', fc.constant(0), ({ checkpoints: rows }) => rows.list()),
]

const retries: readonly fc.Arbitrary<Operation>[] = [
  define(
    'put',
    fc.record({
      subscription: fc.constantFrom('p', 'P'),
      key: fc.constantFrom('k', 'K'),
      position: fc.integer({ min: 1, max: 9 }),
      state: fc.constantFrom('due' as const, 'parked' as const, 'queued' as const),
      attempts: fc.integer({ min: 0, max: 1 }),
      due: small,
    }),
    // A row keeps its key, as a message does.
    async ({ retries: rows }, row) => {
      const key = (await rows.find(row.subscription, row.position))?.key ?? row.key
      const due = row.state === 'due' ? row.due : 0
      await rows.put({
        ...row,
        key,
        due,
        hash: row.position,
        messageId: `m${row.position}`,
        history: [{ time: 1, error: 'e' }],
      })
    },
  ),
  define(
    'settle',
    fc.record({
      subscription: fc.constantFrom('p', 'P'),
      position: fc.integer({ min: 1, max: 9 }),
      attempts: fc.integer({ min: 0, max: 1 }),
    }),
    ({ retries: rows }, row) => rows.settle(row, 3),
  ),
  define('take', fc.tuple(small, limit), async ({ retries: rows }, [now, most]) => [
    await rows.take('p', { now, limit: most }),
    new Set(await rows.blocked('p', ['k', 'K', 'x'])),
    (await rows.parkedBefore({ subscription: 'p', key: 'k', position: 4 })) ?? 'none',
    await rows.waitingAt([3, 2, 1, 4]),
    new Set(await rows.summary()),
  ]),
  define('clear', fc.constantFrom('p', 'P'), ({ retries: rows }, of) => rows.clear(of)),
  define('rename', fc.constantFrom('p', 'P'), async ({ retries: rows }, from) => {
    const to = from === 'p' ? 'P' : 'p'
    await rows.clear(to)
    return rows.rename(from, to)
  }),
]

const collection = fc.constantFrom('a', 'A')

const documents: readonly fc.Arbitrary<Operation>[] = [
  define('put document', fc.tuple(collection, name), ({ documents: all }, [of, key]) =>
    all.put(of, key, `"${of}${key}"`),
  ),
  define('delete document', fc.tuple(collection, name), ({ documents: all }, [of, key]) =>
    all.delete(of, key),
  ),
  define('clear documents', collection, ({ documents: all }, of) => all.clear(of)),
  define('clear some documents', fc.tuple(collection, limit), ({ documents: all }, [of, most]) =>
    all.clear(of, most),
  ),
  define(
    'list documents',
    fc.record({ of: collection, prefix: optional(name), after: optional(name), limit }),
    ({ documents: all }, { of, limit: most, ...options }) =>
      all.list(of, { limit: most, ...compact(options) }),
  ),
]

const rest: readonly fc.Arbitrary<Operation>[] = [
  define('remember', fc.tuple(name, place, optional(name)), ({ inbox }, [id, position, digest]) =>
    inbox.remember('c', id, {
      stream: 's',
      version: 1,
      position,
      count: 1,
      ...compact({ digest }),
    }),
  ),
  define('conclude', fc.tuple(name, place), async ({ inbox }, [id, position]) => [
    await inbox.conclude('c', id, { stream: 't', version: 2, position, count: 0, result: '"x"' }),
    (await inbox.recall('c', id)) ?? 'none',
  ]),
  define(
    'trim inbox',
    fc.tuple(fc.integer({ min: 0, max: 1 }), limit),
    ({ inbox }, [later, most]) => inbox.trim(Date.UTC(2026, 0, 1) + later, most),
  ),
  define('save snapshot', fc.tuple(name, name), async ({ snapshots }, [stream, tag]) => {
    const version = ((await snapshots.load(stream, tag))?.version ?? 3) + (tag === 'a' ? -1 : 1)
    await snapshots.save({ stream, tag, version, state: String(version) })
    return snapshots.load(stream, tag)
  }),
]

const weighted = (weight: number, operations: readonly fc.Arbitrary<Operation>[]) => ({
  weight,
  arbitrary: fc.oneof(...operations),
})

/**
 * Operations on the log and one other port each, and on all of them: what a program does with few ports it does often
 * enough to matter.
 */
export const mixes: readonly fc.Arbitrary<Operation>[] = [
  ...[checkpoints, retries, letters, documents, timers, rest, audit, jobs].map((port) =>
    fc.oneof(weighted(1, events), weighted(3, port)),
  ),
  fc.oneof(weighted(2, events.slice(0, 1)), weighted(1, events)),
  fc.oneof(
    ...[events, checkpoints, retries, letters, documents, timers, rest, audit, jobs].map((port) =>
      weighted(1, port),
    ),
  ),
]
