/** Random operations on timers. */
import * as fc from 'fast-check'
import { message } from '../../src/conformance/samples.ts'
import type { Operation } from './operation.ts'
import { compact, define, limit, name, optional, place, small } from './operation.ts'

const timerPlace = fc.record({ next: small, id: name })

export const timers: readonly fc.Arbitrary<Operation>[] = [
  define(
    'set timer',
    fc.tuple(name, name, fc.oneof(small, fc.record({ in: place }))),
    ({ timers: rows }, [id, owner, due]) =>
      rows.set({ id, owner, due, stream: 's', message: message(`timer ${id}`) }),
  ),
  define('cancel timers', fc.tuple(name, name), async ({ timers: rows }, [id, owner]) => [
    await rows.cancel(id),
    await rows.cancelAll(owner),
  ]),
  define('fail timer', fc.tuple(name, optional(place)), ({ timers: rows }, [id, retryIn = null]) =>
    rows.fail(id, { error: 'no', retryIn }),
  ),
  define('hurry timer', name, ({ timers: rows }, id) => rows.hurry(id)),
  define(
    'due timers',
    fc.record({ after: optional(timerPlace), owner: optional(name), limit }),
    async ({ timers: rows }, { owner, ...options }) => [
      await rows.due({ ...compact({ after: options.after }), limit: options.limit }),
      (await rows.wait()) ?? 'none',
      await rows.failed(),
      await rows.upcoming({ ...compact({ owner, after: options.after }), limit: options.limit }),
      await rows.list({ limit: options.limit }),
    ],
  ),
]
