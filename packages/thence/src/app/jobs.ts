/**
 * The work on jobs that every running app has a part in: takes the next batch of whatever runs, one transaction each. Two
 * processes never do the same batch, because the job's row changes with it by compare-and-set; nobody needs a lease.
 */
import { ThenceError } from '../errors.ts'
import { fullJitter } from '../internal/backoff.ts'
import { Rounds } from '../internal/rounds.ts'
import type { Signals } from '../observe/signals.ts'
import { Upkeep } from '../observe/upkeep.ts'
import type { Transaction } from '../ports/database.ts'
import type { Job, JobState } from '../ports/jobs.ts'
import { turn } from '../ports/wait.ts'
import type { Store } from '../store/store.ts'

/** What a batch has led to. */
export interface Advanced {
  readonly progress: string
  /** Default: it goes on running. */
  readonly state?: JobState
  /** No batch before this time, by the same clock as `now`; default: at once. */
  readonly next?: number
  /** Why it stopped by itself. */
  readonly error?: string
}

/** All kinds of jobs that there are. */
export const jobKinds = ['redrive', 'replay'] as const

/** A kind of job. */
export interface JobKind {
  readonly kind: (typeof jobKinds)[number]
  /**
   * Does the next batch in `transaction`; `undefined`: there is nothing to do yet, look again later. What it throws rolls
   * everything back, and the batch is taken again after a while. `now` is by the database's clock, so that processes keep
   * a pace together whatever their own say.
   */
  advance(transaction: Transaction, job: Job, now: number): Promise<Advanced | undefined>
}

/** Milliseconds. */
const lookEvery = 1000
const idle = { base: 50, cap: lookEvery }
const failureBackoff = { base: 200, cap: 30_000 }
const most = 100
/** After so many batches of one job, the others have their turn. */
const atOnce = 20

/** How a job goes here, in this process. */
interface Going {
  /** Not looked at before this time, by `elapsed`. */
  until: number
  /** Looks in a row that found nothing to do. */
  idle: number
  failures: number
}

const changed = (job: Job): ThenceError =>
  new ThenceError(
    'CHECKPOINT_MOVED',
    `Job ${job.id} was changed by someone else; it is read again.`,
  )

export interface JobRunnerOptions {
  readonly kinds: readonly JobKind[]
  /** A batch was done: there may be something to do for anyone. */
  readonly advanced: () => void
}

export class JobRunner {
  readonly #store: Store
  readonly #signals: Signals
  readonly #kinds: ReadonlyMap<string, JobKind>
  readonly #advanced: () => void
  readonly #going = new Map<string, Going>()
  readonly #rounds: Rounds
  readonly #upkeep: Upkeep

  constructor(store: Store, signals: Signals, { kinds, advanced }: JobRunnerOptions) {
    this.#store = store
    this.#signals = signals
    this.#upkeep = new Upkeep(signals, 'jobs')
    this.#kinds = new Map(kinds.map((one) => [one.kind, one]))
    this.#advanced = advanced
    const { runtime } = store.tools
    this.#rounds = new Rounds(
      (delay, callback) => runtime.after(delay, callback),
      () => this.#round(),
    )
  }

  start(): void {
    this.#rounds.start()
  }

  /** Resolves when the batch in hand is committed. */
  stop(): Promise<void> {
    return this.#rounds.stop()
  }

  /** There may be a job to begin, or more of one to do. */
  wake(): void {
    this.#rounds.wake()
  }

  /** A look at each job that runs; gives the milliseconds until the next. */
  async #round(): Promise<number> {
    let delay = lookEvery
    try {
      const { jobs, now } = await this.#store.read(async (transaction) => ({
        jobs: await transaction.jobs.list({ state: 'running', limit: most }),
        now: await transaction.timers.now(),
      }))
      this.#forgetOthers(jobs)
      for (const job of jobs) delay = Math.min(delay, await this.#take(job, now))
      this.#upkeep.done()
    } catch (error) {
      // Looked at again later.
      this.#upkeep.failed(error)
    }
    return delay
  }

  #forgetOthers(jobs: readonly Job[]): void {
    const ids = new Set(jobs.map(({ id }) => id))
    for (const id of this.#going.keys()) if (!ids.has(id)) this.#going.delete(id)
  }

  /** Takes batches of one job until there is nothing to do; gives the milliseconds until it is to be looked at again. */
  async #take(job: Job, now: number): Promise<number> {
    const kind = this.#kinds.get(job.kind)
    if (kind === undefined) return lookEvery
    const { runtime } = this.#store.tools
    const going = this.#going.get(job.id) ?? { until: 0, idle: 0, failures: 0 }
    this.#going.set(job.id, going)
    const early = going.until - runtime.elapsed()
    if (early > 0) return early
    let wait = Math.max(0, job.next - now)
    try {
      for (let n = 0; wait === 0 && n < atOnce && !this.#rounds.stopped; n += 1) {
        wait = await this.#batch(job.id, kind, going)
        // Heartbeats and requests have their turn.
        await turn(runtime)
      }
      going.failures = 0
    } catch (error) {
      wait = this.#failed(job, going, error)
    }
    going.until = runtime.elapsed() + wait
    return wait
  }

  #failed({ id, kind }: Job, going: Going, error: unknown): number {
    going.failures += 1
    const retryIn = fullJitter(failureBackoff, going.failures, this.#store.tools.runtime.random())
    this.#signals.emit({ name: 'job-failed', job: id, kind, retryIn, error })
    return retryIn
  }

  /** One transaction; gives the milliseconds until the next. */
  async #batch(id: string, kind: JobKind, going: Going): Promise<number> {
    const saved = await this.#store.transact(async ({ transaction }) => {
      const now = await transaction.timers.now()
      const job = await transaction.jobs.get(id)
      if (job?.state !== 'running' || job.next > now) return undefined
      const advanced = await kind.advance(transaction, job, now)
      if (advanced === undefined) return undefined
      const { progress, state = 'running', next = 0, error = null } = advanced
      const after = { ...job, progress, state, next, error, updated: now }
      if (!(await transaction.jobs.save(after, job.version))) throw changed(job)
      return { ...after, wait: Math.max(0, next - now) }
    })
    if (saved === undefined) {
      going.idle += 1
      return fullJitter(idle, going.idle, 1)
    }
    going.idle = 0
    this.#advanced()
    if (saved.state !== 'running')
      this.#signals.emit({
        name: 'job-ended',
        job: id,
        kind: saved.kind,
        state: saved.state,
        error: saved.error,
      })
    return saved.state === 'running' ? saved.wait : lookEvery
  }
}
