/**
 * What follows the log of PostgreSQL: a projection that catches up, a handler in this process and in another one, and a saga.
 */
import { fork } from 'node:child_process'
import { postgres } from 'thence/postgres'
import type { Case, Row } from './bench.ts'
import { check } from './bench.ts'
import { amount, catchUp, events } from './follow.ts'
import { untilHandled } from './latency.ts'
import { appendOne } from './ours.ts'
import { dbos } from './postgres-dbos.ts'
import { emmettFollow, emmettLatency } from './postgres-emmett-feed.ts'
import { best, rawFeed } from './postgres-feed.ts'
import { appAt, logOf } from './postgres-log.ts'
import { onDatabase } from './postgres-server.ts'
import { restate } from './restate.ts'
import { runSagas } from './saga.ts'
import { Arrivals, figureOf, sample } from './sample.ts'

const followed: Case = {
  name: 'thence',
  side: 'ours',
  run: async (setting) => {
    const count = amount(setting)
    return onDatabase((place) => catchUp(appAt(place), count), await logOf(count))
  },
}

const here: Case = {
  name: 'thence, same process',
  side: 'ours',
  run: ({ seconds }) => onDatabase((place) => untilHandled(appAt(place), seconds)),
}

/** A process that handles what this one appends, and says so: from the call of append until that is heard. */
const elsewhere: Case = {
  name: 'thence, other process',
  side: 'ours',
  run: ({ seconds }) =>
    onDatabase(async (place) => {
      const worker = fork(new URL('postgres-worker.ts', import.meta.url), [place.url])
      const arrivals = new Arrivals()
      const ready = new Promise<void>((resolve) => worker.once('message', () => resolve()))
      const running = await appAt(place).start()
      await ready
      let handled = 0
      worker.on('message', (n) => {
        check('the event handled', n, handled)
        handled += 1
        arrivals.told(Number(n))
      })
      const times = await sample(seconds, () => arrivals.time((n) => appendOne(running, n)))
      await running.stop()
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      worker.disconnect()
      await ended
      return figureOf(times)
    }),
}

const saga: Case = {
  name: 'thence',
  side: 'ours',
  run: (setting) => onDatabase((place) => runSagas(postgres({ pool: place.pool(10) }), setting)),
}

/** Its default, and one for each caller. */
const connections = [10, 32]
const decidedByDbos = 'DBOS 5.3.0, each step appends an event'
const decidedByRestate = 'Restate 1.7.12, each step decided by an object'

const committed = 'PostgreSQL, fsync and synchronous_commit on'

const flushed = `${committed}: the event is flushed before the handler hears of it`

export const postgresWork: readonly Row[] = [
  {
    name: 'postgres-follow',
    title:
      'following projection, 100,000 events, view in PostgreSQL (a counter per stream, documents)',
    unit: 'events/s',
    durability: `${committed}: view and checkpoint committed together, batch by batch`,
    cases: [
      followed,
      rawFeed(best, events),
      emmettFollow('emmett-postgresql, batch 1000, poll 0', {
        events: 10_000,
        pulling: { batchSize: 1000, pullingFrequencyInMs: 0 },
      }),
    ],
    targets: [
      { atLeast: 50_000 },
      { against: best, atLeast: 0.25 },
      { against: 'emmett-postgresql, batch 1000, poll 0', atLeast: 12 },
    ],
  },
  {
    name: 'postgres-latency',
    title:
      'append → handler in the same process, from the call of append to the start of the handler',
    unit: 'ms (p50)',
    durability: flushed,
    cases: [here, emmettLatency('emmett-postgresql, default consumer')],
    targets: [{ atMost: 2 }],
  },
  {
    name: 'postgres-latency-other',
    title: 'append → handler in another process, from the call of append until that says so',
    unit: 'ms (p50)',
    durability: flushed,
    cases: [elsewhere],
    targets: [{ atMost: 5 }, { beside: 'p99', atMost: 20 }],
  },
  {
    name: 'postgres-saga',
    title: 'three-step saga, 32 at once, each step decided by an aggregate, completion observed',
    unit: 'sagas/s',
    durability: `${committed}: every decision, step and checkpoint committed; DBOS the same; Restate flushes its own log`,
    cases: [
      saga,
      dbos(decidedByDbos, { appends: true, connections }),
      dbos('DBOS 5.3.0, steps that do nothing', { appends: false, connections }),
      restate(decidedByRestate, 'decided'),
      restate('Restate 1.7.12, steps that do nothing', 'recorded'),
    ],
    targets: [
      { against: decidedByDbos, atLeast: 5 },
      { against: decidedByRestate, atLeast: 5 },
    ],
  },
]
