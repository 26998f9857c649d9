/**
 * That no process runs while something waits for one: the first thing to know, since nothing else can go on before.
 */
import type { Attention } from './attention.ts'
import type { JobView } from './jobs.ts'
import type { ProcessSummary } from './processes.ts'
import type { OpenSagas } from './sagas.ts'
import type { SubscriptionCondition, SubscriptionStatus } from './subscriptions.ts'

export interface Waiting {
  readonly all: readonly SubscriptionStatus[]
  readonly processes: readonly ProcessSummary[]
  readonly sagas: readonly OpenSagas[]
  readonly jobs: readonly JobView[]
  /** When the next timer is due, Unix milliseconds. */
  readonly nextTimer: number | undefined
  readonly now: number
}

const owing: ReadonlySet<SubscriptionCondition> = new Set([
  'behind',
  'building',
  'rebuilding',
  'rebuild-asked',
])

/** Whether it has something to do that no person has to decide first. */
const isOwed = ({ state, due, queued, parked }: SubscriptionStatus): boolean =>
  state !== 'paused' && (owing.has(state) || due > 0 || (queued > 0 && parked === 0))

const owed = ({ all, sagas, jobs, nextTimer }: Waiting): readonly string[] => {
  const open = sagas.reduce((sum, one) => sum + one.open, 0)
  const running = jobs.filter(({ state }) => state === 'running' || state === 'waiting').length
  const some = (number: number, one: string) =>
    number === 0 ? [] : [`${number} ${one}${number === 1 ? '' : 's'}`]
  return [
    ...some(all.filter(isOwed).length, 'subscription'),
    ...(nextTimer === undefined ? [] : ['timers']),
    ...some(open, 'open saga'),
    ...some(running, 'job'),
  ]
}

/** One row if no process is alive and anything waits; `since` is when a process was heard of for the last time. */
export function nobodyRuns(waiting: Waiting): readonly Attention[] {
  const { processes, all, now } = waiting
  if (processes.some(({ alive }) => alive)) return []
  const waits = owed(waiting)
  if (waits.length === 0) return []
  const heard = [...processes.map(({ seen }) => seen ?? 0), ...all.map(({ moved }) => moved ?? 0)]
  return [
    {
      name: 'app',
      what: `No process runs; there wait: ${waits.join(', ')}`,
      since: Math.max(0, ...heard) || now,
      advice: 'Start the app; nothing is lost.',
    },
  ]
}
