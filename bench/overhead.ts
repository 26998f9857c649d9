/**
 * What watching costs: the same catch-up with no listener at all, with the metrics that an app has unless it says no, and
 * with a listener of one's own on top. Once for a handler, and once for a view, whose messages are cheaper to handle. In
 * time of the processor, because the difference is smaller than what flushes of the disk vary by.
 */
import { performance } from 'node:perf_hooks'
import type { App, AppBuilder, AppOptions } from 'thence'
import { documents, handler, projection } from 'thence'
import type { Case, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { filledOurs } from './filled.ts'
import { sumOf } from './load.ts'
import { appOn, ItemAdded } from './ours.ts'

const amount = ({ scale }: Setting, events: number): number => Math.round(events * scale)

/** What is run, and what proves that it was. */
interface Work {
  readonly events: number
  readonly begin: () => {
    readonly use: (app: AppBuilder) => AppBuilder
    readonly sum: () => number
  }
}

const handled: Work = {
  events: 100_000,
  begin() {
    let sum = 0
    const adds = handler('adds', ItemAdded, async ({ data }) => {
      sum += data.n
    })
    return { use: (app) => app.use(adds), sum: () => sum }
  },
}

const viewed: Work = {
  events: 200_000,
  begin() {
    let sum = 0
    const last = projection('last', {
      view: documents<number>(),
      on: (on) =>
        on(ItemAdded, async ({ stream, data }, view) => {
          sum += data.n
          await view.put(stream, data.n)
        }),
    })
    return { use: (app) => app.use(last), sum: () => sum }
  },
}

/** Listens to whatever comes with every message; what was handled before it listened it can't hear. */
const listen = (app: Pick<App, 'listen'>): ((count: number) => void) => {
  let heard = 0
  let latest = 0
  app.listen(['message-begun', 'message-handled', 'checkpoint-moved'], (signal) => {
    if (signal.name === 'message-handled') heard += 1
    latest = signal.position
  })
  return (count) => {
    check('whether nearly all was heard', heard > count * 0.8, true)
    check('the last position that was heard', latest, count)
  }
}

interface Watching {
  readonly options?: Partial<AppOptions>
  readonly listens?: boolean
}

const caseOf = (name: string, work: Work, { options = {}, listens = false }: Watching): Case => ({
  name,
  side: 'ours',
  async run(setting) {
    const count = amount(setting, work.events)
    const path = await filledOurs(setting, count)
    const { use, sum } = work.begin()
    const start = performance.now()
    const cpu = process.cpuUsage()
    const running = await use(appOn(path, options)).start()
    const checked = listens ? listen(running) : () => undefined
    await running.whenIdle()
    const { user, system } = process.cpuUsage(cpu)
    const seconds = (performance.now() - start) / 1000
    await running.stop()
    check('the sum of what was handled', sum(), sumOf(count))
    checked(count)
    return { value: count / ((user + system) / 1e6), beside: { 'per second': count / seconds } }
  },
})

const nobody = 'nobody listens'
const both = 'metrics and a listener to every message'

const rowOf = (name: string, what: string, work: Work): Row => ({
  name,
  title: `what watching costs: ${work.events.toLocaleString('en-GB')} events through ${what}`,
  unit: 'events per CPU-s',
  durability: 'WAL, synchronous=FULL: effects and checkpoint committed together',
  cases: [
    caseOf('metrics, as by default', work, {}),
    caseOf(nobody, work, { options: { metrics: false } }),
    caseOf(both, work, { listens: true }),
  ],
  targets: [
    { against: nobody, atLeast: 0.95 },
    { against: both, atMost: 1.1 },
  ],
})

export const overhead: Row = rowOf('delivery-overhead', 'a handler', handled)
export const overheadOfView: Row = rowOf('delivery-overhead-view', 'a projection', viewed)
