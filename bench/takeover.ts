/**
 * Two processes share a handler of 16 keys in 4 partitions on one file, and one of them is taken away: how long until every
 * key is handled again. Once by `kill -9`, which others on the machine can see, and once by SIGSTOP, after which only the
 * time of the lease tells. (It stops itself between two transactions: whoever is stopped inside of one holds the lock
 * of the file, and nobody can take over anything.)
 */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import type { App } from 'thence'
import { isThenceError } from 'thence'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { payload } from './load.ts'
import { fileOf, ItemAdded, startApp } from './ours.ts'
import { percentile } from './sample.ts'
import type { Handled } from './takeover-worker.ts'

const keys = 16
/** So often, in milliseconds, each key gets a message. */
const beat = 20
const patience = 60_000

const keyOf = (n: number): number => n % keys

/** A worker, and the newest message that it has handled of each key. */
interface Worker {
  readonly child: ChildProcess
  readonly closed: Promise<unknown>
  readonly newest: Map<number, number>
}

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const end = performance.now() + patience
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} did not come about`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

class Theatre {
  readonly #path: string
  readonly #running: App<never, never>
  readonly #workers = new Set<Worker>()
  readonly #appending: Promise<void>
  #next = 0
  #over = false

  constructor(path: string, running: App<never, never>) {
    this.#path = path
    this.#running = running
    this.#appending = this.#append()
  }

  /** Messages appended so far. */
  get appended(): number {
    return this.#next
  }

  get workers(): readonly Worker[] {
    return [...this.#workers]
  }

  add(): Worker {
    const child = fork(`${import.meta.dirname}/takeover-worker.ts`, [this.#path], {
      execArgv: ['--conditions=thence-source'],
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    const worker = { child, closed, newest: new Map<number, number>() }
    child.on('message', (ns: Handled) => {
      for (const n of ns) worker.newest.set(keyOf(n), n)
    })
    this.#workers.add(worker)
    return worker
  }

  /** Ends a worker for good, also one that was stopped. */
  async end(worker: Worker): Promise<void> {
    this.#workers.delete(worker)
    worker.child.kill('SIGKILL')
    await worker.closed
  }

  async close(): Promise<void> {
    this.#over = true
    for (const worker of this.workers) await this.end(worker)
    await this.#appending
    await this.#running.stop()
  }

  /** Whether, of all that is appended from now on, every worker handles some and together they handle every key. */
  async shared(): Promise<void> {
    const from = this.#next
    await until('That the work is shared', () => {
      const busy = this.workers.map(({ newest }) => [...newest.values()].filter((n) => n >= from))
      return busy.every((some) => some.length > 0) && busy.flat().length >= keys
    })
  }

  /** The file may be locked for long while processes come and go. */
  async #appendOne(n: number): Promise<void> {
    const event = ItemAdded(payload(n), { id: `item-${n}` })
    for (;;)
      try {
        await this.#running.append({ stream: `key-${keyOf(n)}`, events: event })
        return
      } catch (error) {
        if (!isThenceError(error, 'STORE_BUSY')) throw error
      }
  }

  async #append(): Promise<void> {
    while (!this.#over) {
      const batch = Array.from({ length: keys }, (_, index) => this.#next + index)
      this.#next += keys
      await Promise.all(batch.map((n) => this.#appendOne(n)))
      await new Promise((resolve) => setTimeout(resolve, beat))
    }
  }
}

type Away = 'killed' | 'stopped'

/** Takes one worker away and gives the seconds until the others handle all keys. */
const takeover = async (theatre: Theatre, away: Away): Promise<number> => {
  const [victim, ...others] = theatre.workers
  if (victim === undefined) throw new Error('There is nobody to take away.')
  const from = theatre.appended
  const start = performance.now()
  if (away === 'killed') victim.child.kill('SIGKILL')
  else victim.child.send('stop')
  await until('That the others handle every key', () => {
    const handled = new Set(
      others.flatMap(({ newest }) => [...newest].filter(([, n]) => n >= from).map(([key]) => key)),
    )
    return handled.size === keys
  })
  const seconds = (performance.now() - start) / 1000
  await theatre.end(victim)
  return seconds
}

const measure = async (
  setting: Setting,
  { away, times }: { readonly away: Away; readonly times: number },
): Promise<Figure> => {
  const path = fileOf(setting)
  const theatre = new Theatre(path, await startApp(path))
  const taken: number[] = []
  try {
    theatre.add()
    for (let round = 0; round < Math.max(3, Math.round(times * setting.scale)); round += 1) {
      theatre.add()
      await theatre.shared()
      taken.push(await takeover(theatre, away))
    }
  } finally {
    await theatre.close()
  }
  check('whether there were takeovers', taken.length > 0, true)
  const [p50, p99] = [0.5, 0.99].map((part) => percentile(taken, part))
  return {
    value: p99 ?? Number.NaN,
    beside: { p50: p50 ?? Number.NaN, max: Math.max(...taken), takeovers: taken.length },
  }
}

const killed: Case = {
  name: 'kill -9',
  side: 'ours',
  run: (setting) => measure(setting, { away: 'killed', times: 100 }),
}

const paused: Case = {
  name: 'SIGSTOP, a lease of 5 s',
  side: 'ours',
  run: (setting) => measure(setting, { away: 'stopped', times: 20 }),
}

export const takeovers: Row = {
  name: 'delivery-takeover',
  title: 'from the end of a process until another handles all its keys, two processes on one file',
  unit: 's (p99)',
  durability: 'WAL, synchronous=FULL; processes of their own on one SQLite file',
  cases: [killed, paused],
  targets: [{ atMost: 3 }],
  rounds: 1,
}
