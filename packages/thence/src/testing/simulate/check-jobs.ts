/** Whether jobs came to their end, and each replay gave each message once more and no more often. */
import type { ReplayProgress, ReplaySpec } from '../../app/replay-job.ts'
import { replayKind } from '../../app/replay-job.ts'
import type { Job } from '../../ports/jobs.ts'
import type { Outcome } from './outcome.ts'

interface Replays {
  jobs: number
  /** What they tell of themselves. */
  resolved: number
  replayed: number
}

const replaysOf = (jobs: readonly Job[]): ReadonlyMap<string, Replays> => {
  const replays = new Map<string, Replays>()
  for (const { kind, spec, progress } of jobs) {
    if (kind !== replayKind) continue
    const { handler } = JSON.parse(spec) as ReplaySpec
    const { resolved, replayed } = JSON.parse(progress) as ReplayProgress
    const sum = replays.get(handler) ?? { jobs: 0, resolved: 0, replayed: 0 }
    replays.set(handler, {
      jobs: sum.jobs + 1,
      resolved: sum.resolved + resolved,
      replayed: sum.replayed + replayed,
    })
  }
  return replays
}

/** Positions that a handler has done again, as often as it did. */
const doneAgain = (handler: string, { replays }: Outcome): readonly number[] =>
  [...replays].flatMap(([key, positions]) => {
    const [name] = JSON.parse(key) as [string, string]
    return name === handler ? positions : []
  })

const checkReplays = (handler: string, told: Replays, outcome: Outcome): string[] => {
  const problems: string[] = []
  const again = doneAgain(handler, outcome)
  const counts = new Map<number, number>()
  for (const position of again) counts.set(position, (counts.get(position) ?? 0) + 1)
  for (const [position, count] of counts)
    if (count > told.jobs)
      problems.push(
        `duplicate-effect: ${handler} did ${position} ${count} times again in ${told.jobs} replays`,
      )
  if (again.length < told.resolved)
    problems.push(
      `lost-effect: replays of ${handler} tell of ${told.resolved} messages, and it did ${again.length}`,
    )
  if (again.length > told.replayed)
    problems.push(
      `duplicate-effect: replays of ${handler} gave ${told.replayed} messages, and it did ${again.length}`,
    )
  return problems
}

export const checkJobs = (outcome: Outcome): string[] => [
  ...outcome.jobs
    .filter(({ state }) => state === 'running')
    .map(({ kind, id }) => `stuck: the ${kind} ${id} never came to its end`),
  ...[...replaysOf(outcome.jobs)].flatMap(([handler, told]) =>
    checkReplays(handler, told, outcome),
  ),
]
