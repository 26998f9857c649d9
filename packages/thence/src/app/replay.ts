/**
 * Giving history to a handler of a running app again, and waiting until that is done, by whatever process.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { Job, JobState } from '../ports/jobs.ts'
import { wait } from '../ports/wait.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from './engine.ts'
import { requireSaid } from './replay-history.ts'
import type { ReplayProgress } from './replay-job.ts'
import type { ReplayRequest } from './replay-plan.ts'
import { beginReplay, findMeant, requestNames, specOf } from './replay-plan.ts'

/** How far a replay has come, or how it ended. */
export interface Replayed {
  /** Of the job, for `thence jobs`; null: it was a dry run. */
  readonly job: string | null
  /** `planned`: it was a dry run. */
  readonly state: JobState | 'planned'
  /** How many messages are meant. */
  readonly total: number
  /** Went through. */
  readonly resolved: number
  /** Failed for good; each has a dead letter. */
  readonly failed: number
  /** Wait behind a message of their key that someone has to redrive or discard. */
  readonly waiting: number
  /** Not given to the handler: they wait for it already, or were given up before. */
  readonly skipped: number
  /** Why it stopped by itself; else null. */
  readonly error: string | null
}

export interface ReplayOptions extends ReplayRequest {
  /** Only tells how many messages are meant. Default false. */
  readonly dryRun?: boolean
  readonly onProgress?: (progress: Replayed) => void
  /** Gives up waiting; the replay goes on. */
  readonly signal?: AbortSignal
  /** Who does it, for the audit log; default `api`. */
  readonly actor?: string
}

const optionNames: OptionNames<ReplayOptions> = {
  ...requestNames,
  dryRun: true,
  onProgress: true,
  signal: true,
  actor: true,
}

interface Replaying {
  readonly store: Store
  readonly engine: Engine
}

/** Milliseconds. */
const lookEvery = 100

const told = ({ id, state, total, error, progress }: Job): Replayed => {
  const { resolved, failed, waiting, skipped } = JSON.parse(progress) as ReplayProgress
  return { job: id, state, total: total ?? 0, resolved, failed, waiting, skipped, error }
}

const planned = (total: number): Replayed => ({
  job: null,
  state: 'planned',
  total,
  resolved: 0,
  failed: 0,
  waiting: 0,
  skipped: 0,
  error: null,
})

/** See `App.replay`. */
export async function replayHandler(
  name: string,
  { store, engine }: Replaying,
  options: ReplayOptions,
): Promise<Replayed> {
  expectOptions(`replay to ${name}`, options, optionNames)
  const subscription = engine.subscription(name)
  if (subscription === undefined)
    throw new ThenceError('NOT_FOUND', `There is no handler ${name} in this app.`)
  const { database, tools } = store
  const spec = await store.read((transaction) => specOf(transaction, name, options))
  const counting = { database, runtime: tools.runtime }
  const meant = await findMeant(counting, spec.filter, (one) => subscription.item(one).key)
  const { total } = meant
  await store.read((transaction) => requireSaid(transaction, spec, meant))
  if (options.dryRun === true) return planned(total)
  const { actor, reason } = options
  const about = { runtime: tools.runtime, actor, reason }
  const job = await store.transact(({ transaction }) =>
    beginReplay(transaction, { spec, total }, about),
  )
  engine.look()
  return ended(job, { store, engine }, options)
}

const stopped = (id: string): ThenceError =>
  new ThenceError(
    'APP_STOPPED',
    `The app stopped while the replay ran; job ${id} goes on at the next start.`,
  )

/** Looks until it neither runs nor is paused. @throws ABORTED, APP_STOPPED */
const ended = async (
  { id }: Job,
  { store, engine }: Replaying,
  { onProgress, signal }: ReplayOptions,
): Promise<Replayed> => {
  for (;;) {
    const job = await store
      .read(({ jobs }) => jobs.get(id))
      .catch((error: unknown) => {
        // The store may be closed by now.
        throw engine.stopped ? stopped(id) : error
      })
    if (job === undefined) throw new ThenceError('NOT_FOUND', `The job ${id} was removed.`)
    const now = told(job)
    onProgress?.(now)
    if (job.state !== 'running' && job.state !== 'paused') return now
    if (engine.stopped) throw stopped(id)
    await wait(store.tools.runtime, lookEvery, signal)
  }
}
