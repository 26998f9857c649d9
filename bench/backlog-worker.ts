/**
 * The process of the row `delivery-backlog`: catches up with the file that it is given, and writes what it counted.
 */
import { writeFileSync } from 'node:fs'
import { documents, handler, projection } from 'thence'
import { appOn, ItemAdded } from './ours.ts'

/** What the worker tells. */
export interface Caught {
  /** Sums of the numbers in all events, by the handler and by the view. */
  readonly handled: number
  readonly viewed: number
  /** Messages that wait behind a parked one. */
  readonly queued: number
  /** The highest use of the heap that was seen, in MiB. */
  readonly heap: number
}

const [path = '', result = '', mode = 'free'] = process.argv.slice(2)
const sampleEvery = 50

let handled = 0
let viewed = 0
let heap = 0

const sampling = setInterval(() => {
  heap = Math.max(heap, process.memoryUsage().heapUsed / 2 ** 20)
}, sampleEvery)

/** In `stuck` everything has one key, and its first message is given up at once. */
const work = handler('work', ItemAdded, {
  ...(mode === 'stuck' ? { key: () => 'one', retry: { attempts: 1 } } : {}),
  run: async ({ data }) => {
    if (mode === 'stuck') throw new Error('It never works.')
    handled += data.n
  },
})

const last = projection('last', {
  view: documents<number>(),
  on: (on) =>
    on(ItemAdded, async ({ stream, data }, view) => {
      viewed += data.n
      await view.put(stream, data.n)
    }),
})

const running = await appOn(path, { logger: false }).use(work, last).start()
await running.whenIdle()
const { queued } = await running.database.read(({ retries }) => retries.outlook('work'))
await running.stop()
clearInterval(sampling)
const caught: Caught = { handled, viewed, queued, heap }
writeFileSync(result, JSON.stringify(caught))
