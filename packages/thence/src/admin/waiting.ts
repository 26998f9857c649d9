/**
 * Why a job that runs does not move by itself: nobody is there who could do what it has given out.
 */
import type { RedriveSpec } from '../app/redrive-state.ts'
import { leftOf, progressOf, redriveKind, subscriptionsOf } from '../app/redrive-state.ts'
import type { ReplaySpec } from '../app/replay-job.ts'
import { replayKind } from '../app/replay-job.ts'
import type { Runners } from '../app/runners.ts'
import { calledOf, loadRunners } from '../app/runners.ts'
import type { Transaction } from '../ports/database.ts'
import type { Job } from '../ports/jobs.ts'

export const noApp = 'no app runs'

/** For which subscriptions the job has something on its way, or would have next. */
const neededBy = async (transaction: Transaction, job: Job): Promise<readonly string[]> => {
  if (job.kind === replayKind) return [(JSON.parse(job.spec) as ReplaySpec).handler]
  if (job.kind !== redriveKind) return []
  const { inFlight, absent } = progressOf(job)
  if (inFlight > 0) return subscriptionsOf(transaction, { job: job.id, state: 'redriven' })
  if (absent !== null) return [absent]
  // Nobody has taken it up yet.
  if (job.version > 1) return []
  return subscriptionsOf(transaction, leftOf(JSON.parse(job.spec) as RedriveSpec, job))
}

/** `no running app has handler mail, nor handler bill`; null if one has any of them. */
const whyNot = async (
  transaction: Transaction,
  names: readonly string[],
  { any, has }: Runners,
): Promise<string | null> => {
  if (!any) return noApp
  if (names.length === 0 || names.some(has)) return null
  const called: string[] = []
  for (const name of names) called.push(await calledOf(transaction, name))
  return `no running app has ${called.join(', nor ')}`
}

/** What a job waits for, in a few words; null: it goes on by itself, or somebody has ended or paused it. */
export async function whyWaits(transaction: Transaction, job: Job): Promise<string | null> {
  if (job.state !== 'running') return null
  const runners = await loadRunners(transaction)
  return whyNot(transaction, runners.any ? await neededBy(transaction, job) : [], runners)
}

/** Why nobody takes messages of one subscription at the moment; null if a running app can. */
export async function whyUntaken(transaction: Transaction, name: string): Promise<string | null> {
  return whyNot(transaction, [name], await loadRunners(transaction))
}

/** Those of the subscriptions that no running app has; none, if no app runs at all. */
export async function absentOf(
  transaction: Transaction,
  names: readonly string[],
): Promise<readonly string[]> {
  const { any, has } = await loadRunners(transaction)
  const called: string[] = []
  for (const name of any ? names : [])
    if (!has(name)) called.push(await calledOf(transaction, name))
  return called
}
