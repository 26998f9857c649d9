/**
 * Whether the log still has what a handler said when it did its messages: a replay finds it there by its id, and would say
 * again what retention has removed. What a message caused stands after it; where nothing was removed, nothing is missing.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { Reader } from '../retain/holds.ts'
import type { ReplayProgress, ReplaySpec } from './replay-job.ts'
import { replayKind } from './replay-job.ts'

/** Which messages are meant: how many, and the position of the first. */
export interface Meant {
  readonly total: number
  /** Undefined: there is none. */
  readonly first: number | undefined
}

/**
 * @throws HISTORY_TRUNCATED if messages were removed that stand after the first that is meant, whoever said them: which
 * of them this handler said, nobody knows any more.
 */
export async function requireSaid(
  { events, sizes }: Pick<Transaction, 'events' | 'sizes'>,
  { handler, truncated: isInsisted }: ReplaySpec,
  { first }: Meant,
): Promise<void> {
  if (first === undefined || isInsisted === true) return
  const truncated = await events.truncated()
  if (truncated <= first) return
  const { categories } = await sizes.read(1)
  const of = categories.filter((one) => one.truncated > first).map(({ category }) => category)
  throw new ThenceError(
    'HISTORY_TRUNCATED',
    `What ${handler} said when it did the message at position ${first}, and those after it, may be missing in the log: ` +
      `messages of ${of.join(', ')} up to position ${truncated} were removed by retention. What is missing it would say again. ` +
      'Replay a later part of history, or, if it says nothing there or may say it again, say so (truncated: true, or --truncated).',
    { details: { handler, first, truncated, categories: of } },
  )
}

/** What retention leaves alone while a replay goes on, or is paused: what its messages caused stands after them. */
export async function replayReaders({ jobs }: Transaction): Promise<readonly Reader[]> {
  const most = 1000
  const found: Reader[] = []
  for (const state of ['running', 'paused'] as const)
    for (const job of await jobs.list({ kind: replayKind, state, limit: most })) {
      const { handler, truncated } = JSON.parse(job.spec) as ReplaySpec
      const { cursor, positions } = JSON.parse(job.progress) as ReplayProgress
      const position = Math.min(cursor, ...positions.map((at) => at - 1))
      if (truncated !== true)
        found.push({ name: handler, types: undefined, position, reason: 'replay' })
    }
  return found
}
