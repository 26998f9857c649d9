/**
 * One message in a hundred fails every time, is tried three times and parked, while the others go on: how long a healthy
 * message waits for its handler, from when it was due to be appended, beside the same load without poison.
 */
import { performance } from 'node:perf_hooks'
import type { App } from 'thence'
import { handler } from 'thence'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { payload, streamOf } from './load.ts'
import { appOn, fileOf, ItemAdded } from './ours.ts'
import { percentile } from './sample.ts'

const events = 100_000
/** Messages per second, whatever becomes of them: a wait counts from when a message was due, not from when it could go. */
const pace = 2500
/** So often, in milliseconds, what is due is appended at once. */
const tick = 5

const isPoison = (n: number): boolean => n % 100 === 99

/** A failing message has a key of its own: who shares a key with one has to wait for it, healthy or not. */
const keyOf = (n: number): string => (isPoison(n) ? `poison-${n}` : streamOf(n))

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Appends `count` events in time, and notes when each was due. */
const load = async (running: Pick<App, 'append'>, due: Float64Array): Promise<void> => {
  const start = performance.now()
  const appends: Promise<unknown>[] = []
  for (let n = 0; n < due.length;) {
    const now = performance.now()
    for (; n < due.length && start + (n * 1000) / pace <= now; n += 1) {
      due[n] = start + (n * 1000) / pace
      appends.push(running.append({ stream: keyOf(n), events: ItemAdded(payload(n)) }))
    }
    await pause(tick)
  }
  await Promise.all(appends)
}

const measure = async (setting: Setting, fails: (n: number) => boolean): Promise<Figure> => {
  const count = Math.round(events * setting.scale)
  const due = new Float64Array(count)
  const waits: number[] = []
  let failures = 0
  const eats = handler('eats', ItemAdded, {
    retry: { attempts: 3, base: 50, cap: 200 },
    run: async ({ data: { n } }) => {
      if (!isPoison(n)) waits.push(performance.now() - (due[n] ?? Number.NaN))
      if (!fails(n)) return
      failures += 1
      throw new Error('It is poison.')
    },
  })
  const running = await appOn(fileOf(setting), { logger: false }).use(eats).start()
  await load(running, due)
  await running.whenIdle()
  const poison = Array.from({ length: count }, (_, n) => n).filter(fails).length
  const { parked } = await running.database.read(({ deadLetters }) => deadLetters.counts())
  await running.stop()
  check('healthy messages handled', waits.length, count - Math.floor(count / 100))
  check('attempts that failed', failures, poison * 3)
  check('dead letters', parked, poison)
  const [p50, p99] = [0.5, 0.99].map((part) => percentile(waits, part))
  return { value: p99 ?? Number.NaN, beside: { p50: p50 ?? Number.NaN, 'dead letters': parked } }
}

const poisoned: Case = {
  name: '1 % poison',
  side: 'ours',
  run: (setting) => measure(setting, isPoison),
}

const healthy: Case = {
  name: 'no poison',
  side: 'ours',
  run: (setting) => measure(setting, () => false),
}

export const poison: Row = {
  name: 'delivery-poison',
  title: `due → handler of healthy messages, ${events.toLocaleString('en-GB')} messages at ${pace.toLocaleString('en-GB')} per second`,
  unit: 'ms (p99)',
  durability: 'WAL, synchronous=FULL: every attempt that fails is committed too',
  cases: [poisoned, healthy],
  targets: [{ against: healthy.name, atMost: 2 }],
  rounds: 2,
}
