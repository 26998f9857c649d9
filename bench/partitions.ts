/**
 * A handler that keeps the order of each key, with its keys in one partition, in 4 and in 16, all in one process: what
 * dividing costs, because more than one core is only used by more than one process. Beside it the same loop by hand.
 */
import { performance } from 'node:perf_hooks'
import { handler } from 'thence'
import type { Case, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { filledOurs, prepared } from './filled.ts'
import { fillRaw } from './follow.ts'
import type { Payload } from './load.ts'
import { streamCount, sumOf } from './load.ts'
import { appOn, ItemAdded } from './ours.ts'
import { RawStore } from './raw.ts'

const events = 50_000

const amount = ({ scale }: Setting): number => Math.max(streamCount, Math.round(events * scale))

/** Work that waits for nothing, and that notices whether a key is out of order. */
class Ledger {
  readonly #last = new Map<string, number>()
  count = 0
  sum = 0

  note(stream: string, n: number): void {
    const before = this.#last.get(stream) ?? -1
    if (n <= before) throw new RangeError(`${stream}: ${n} came after ${before}`)
    this.#last.set(stream, n)
    this.count += 1
    this.sum += n
  }

  check(count: number): void {
    check('events handled', this.count, count)
    check('their sum', this.sum, sumOf(count))
  }
}

const ours = (partitions: number): Case => ({
  name: partitions === 1 ? '1 partition' : `${partitions} partitions`,
  side: 'ours',
  async run(setting) {
    const count = amount(setting)
    const path = await filledOurs(setting, count)
    const ledger = new Ledger()
    const notes = handler('notes', ItemAdded, {
      partitions,
      run: async ({ stream, data }) => ledger.note(stream, data.n),
    })
    const start = performance.now()
    const running = await appOn(path).use(notes).start()
    await running.whenIdle()
    const seconds = (performance.now() - start) / 1000
    await running.stop()
    ledger.check(count)
    return { value: count / seconds }
  },
})

/** Pages of a hundred, each message to an asynchronous function, one checkpoint per page. */
const byHand: Case = {
  name: 'raw, pages of 100 one by one',
  side: 'raw',
  async run(setting) {
    const count = amount(setting)
    const path = await prepared(setting, `raw-${count}`, (file) => fillRaw(file, count))
    const ledger = new Ledger()
    const work = async (stream: string, { n }: Payload): Promise<void> => ledger.note(stream, n)
    const start = performance.now()
    const store = new RawStore(path)
    store.database.exec(
      'CREATE TABLE checkpoint (position INTEGER NOT NULL); INSERT INTO checkpoint VALUES (0)',
    )
    const move = store.database.prepare('UPDATE checkpoint SET position = ? WHERE position = ?')
    for (let after = 0; ;) {
      const page = store.page(after, 100)
      for (const { stream, data } of page) await work(stream, JSON.parse(data) as Payload)
      const last = page.at(-1)
      if (last === undefined) break
      check('checkpoint moved', Number(move.run(last.position, after).changes), 1)
      after = last.position
    }
    const seconds = (performance.now() - start) / 1000
    store.close()
    ledger.check(count)
    return { value: count / seconds }
  },
}

export const partitions: Row = {
  name: 'delivery-partitions',
  title: `a handler in order per key, ${events.toLocaleString('en-GB')} events on ${streamCount} keys, one process`,
  unit: 'events/s',
  durability: 'WAL, synchronous=FULL: effects and checkpoint committed together, page by page',
  cases: [ours(1), ours(4), ours(16), byHand],
  targets: [
    { against: byHand.name, atLeast: 0.2 },
    { against: '16 partitions', atMost: 2 },
  ],
}
