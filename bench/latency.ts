/**
 * From the call of `append` to the start of a handler in the same process, while nothing else happens; beside it the
 * time that one raw commit takes.
 */
import { performance } from 'node:perf_hooks'
import { type AppBuilder, handler } from 'thence'
import type { Case, Figure, Row } from './bench.ts'
import { check } from './bench.ts'
import { emmettLatency } from './emmett-cases.ts'
import { payload, streamOf, versionBefore } from './load.ts'
import { Arrivals, figureOf, sample } from './sample.ts'
import { appendOne, appOn, fileOf, ItemAdded } from './ours.ts'
import { RawStore } from './raw.ts'

/** Of an app with an empty log. */
export async function untilHandled(builder: AppBuilder, seconds: number): Promise<Figure> {
  const arrivals = new Arrivals()
  let handled = 0
  const waiting = handler('waiting', ItemAdded, ({ data }) => {
    check('the event handled', data.n, handled)
    handled += 1
    arrivals.told(data.n)
  })
  const running = await builder.use(waiting).start()
  const times = await sample(seconds, async () => {
    const time = await arrivals.time((n) => appendOne(running, n))
    await running.whenIdle()
    return time
  })
  await running.stop()
  check('events handled', handled, arrivals.sent)
  return figureOf(times)
}

const ours: Case = {
  name: 'thence, append → handler',
  side: 'ours',
  run: (setting) => untilHandled(appOn(fileOf(setting)), setting.seconds),
}

const raw: Case = {
  name: 'raw, one commit',
  side: 'raw',
  async run(setting) {
    const store = new RawStore(fileOf(setting))
    store.database.exec(
      'CREATE TABLE checkpoint (position INTEGER); INSERT INTO checkpoint VALUES (0)',
    )
    const move = store.database.prepare('UPDATE checkpoint SET position = ?')
    let next = 0
    const times = await sample(setting.seconds, async () => {
      const n = next++
      const event = { stream: streamOf(n), expected: versionBefore(n) }
      const start = performance.now()
      store.append([{ ...event, type: ItemAdded.type, data: payload(n) }])
      const time = performance.now() - start
      // Not measured, but done: who handles the event must remember it, and the disk has the same work as with ours.
      move.run(n + 1)
      return time
    })
    const stored = store.database.prepare('SELECT count(*) AS stored FROM events').get()
    store.close()
    check('events in the table', stored?.['stored'], next)
    return figureOf(times)
  },
}

export const latency: Row = {
  name: 'latency',
  title:
    'append → handler in the same process, from the call of append to the start of the handler',
  unit: 'ms (p50)',
  durability: 'WAL, synchronous=FULL: the event is flushed before the handler hears of it',
  cases: [ours, raw, emmettLatency('emmett-sqlite, default consumer')],
  targets: [{ against: raw.name, atMost: 2 }],
}
