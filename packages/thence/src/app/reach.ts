/**
 * How far a subscription has come, in whatever process it runs: what this process knows of what it runs itself, and what
 * is stored of the rest.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Tokens, Written } from '../store/token.ts'
import type { Partition } from '../subscribe/partition.ts'
import type { Subscription } from '../subscribe/subscription.ts'

/** A token, or a position of the log. */
export type After = string | number

/** Where to come to. */
export interface Goal extends Written {
  /** A log that is shorter is not the one that the write went to. */
  readonly isToken: boolean
}

/** @throws TOKEN_INVALID, CONFIG_INVALID */
export function goalOf(after: After, tokens: Tokens): Goal {
  if (typeof after === 'string') return { ...tokens.read(after), isToken: true }
  if (Number.isSafeInteger(after) && after >= 0)
    return { position: after, count: Math.min(after, 1), isToken: false }
  throw new ThenceError(
    'CONFIG_INVALID',
    `${String(after)} is no position; give the token, or the position, that send or append gave.`,
  )
}

/** Up to where the log is settled. @throws TOKEN_INVALID if it is shorter than the token says. */
export async function headFor(
  { events }: Pick<Transaction, 'events'>,
  { position, isToken }: Goal,
): Promise<number> {
  const head = await events.head()
  // What was written may stand above an append that is still open.
  if (isToken && head < position && (await events.head({ unsettled: true })) < position)
    throw new ThenceError(
      'TOKEN_INVALID',
      `The token stands for position ${position}, but the log of this store ends at ${head}. Either the transaction was rolled back ` +
        '(that of yours which was given to `within`), so that nothing was written, or the store was restored from an older copy, and what ' +
        'was written after that is gone. Look whether it has to be written again, and ask without the token.',
      { details: { position, head } },
    )
  return head
}

/** How far the partitions have come that this process runs, and under which leases. */
export type Here = readonly Pick<Partition, 'hold' | 'position' | 'generation'>[]

/** Take it before the transaction that looks at the store, so that what it says is committed for that. */
export const hereOf = ({ running }: Subscription): Here =>
  running.map(({ hold, position, generation }) => ({ hold, position, generation }))

/** What is stored may be about a second old, what this process runs itself is not, unless someone took it over. */
const positionOf = (row: Checkpoint, here: Here): number => {
  const own = here.find(
    ({ hold, generation }) =>
      hold.partition === row.partition && hold.epoch === row.epoch && generation === row.generation,
  )
  return Math.max(row.position, own?.position ?? 0)
}

/** So many messages are looked at to see whether one is for a partition. */
const closely = 100

interface Between {
  readonly after: number
  readonly through: number
  readonly partition: number
  /** Whether it is known how the messages are divided. */
  readonly exact: boolean
}

/** Whether anything stands in between that the partition has to do. */
const hasWork = async (
  { events }: Transaction,
  subscription: Subscription,
  { after, through, partition, exact }: Between,
): Promise<boolean> => {
  const query = [{ types: subscription.options.types }]
  const limit = exact ? closely : 1
  const page = await events.readAll({ query, after, before: through + 1, limit })
  if (!exact || page.more) return page.messages.length > 0
  return page.messages.some((stored) => subscription.concerns(stored, partition))
}

/** Whether one of the messages of the goal failed and waits. */
export async function waitingOf(
  { retries }: Transaction,
  { name, options }: Subscription,
  { position, count }: Goal,
): Promise<{ readonly position: number; readonly state: string } | undefined> {
  // Without a key it has not come past a message that failed.
  if (options.key === undefined) return undefined
  if (!(await retries.upcoming(name)).any) return undefined
  for (let at = position - count + 1; at <= position; at += 1) {
    const row = await retries.find(name, at)
    if (row !== undefined) return row
  }
  return undefined
}

/** The least position of its partitions, and whether a view of it is not to be shown. */
export async function standing(
  { checkpoints }: Pick<Transaction, 'checkpoints'>,
  { name, division }: Subscription,
  here: Here,
): Promise<{
  readonly rows: readonly Checkpoint[]
  readonly position: number
  readonly isHidden: boolean
}> {
  const rows = await checkpoints.list(name)
  const positions = rows.map((row) => positionOf(row, here))
  const isHidden = rows.some((row, index) => (positions[index] ?? 0) < row.rebuildTo)
  const position = rows.length < division.partitions ? 0 : Math.min(...positions)
  return { rows, position, isHidden }
}

/**
 * Whether the subscription has come to the goal: everything up to there is done or waits in retries, and of the goal's
 * own messages none waits. @throws TOKEN_INVALID
 */
export async function hasCome(
  transaction: Transaction,
  subscription: Subscription,
  { goal, here }: { readonly goal: Goal; readonly here: Here },
): Promise<boolean> {
  const head = await headFor(transaction, goal)
  const { rows, isHidden } = await standing(transaction, subscription, here)
  if (isHidden || head < goal.position) return false
  const { partitions } = subscription.division
  const exact = partitions > 1 && rows.length === partitions && subscription.isFit
  for (let partition = 0; partition < Math.max(partitions, rows.length); partition += 1) {
    const row = rows.find((one) => one.partition === partition)
    const after = row === undefined ? 0 : positionOf(row, here)
    if (after >= goal.position) continue
    const between = { after, through: goal.position, partition, exact }
    if (await hasWork(transaction, subscription, between)) return false
  }
  return (await waitingOf(transaction, subscription, goal)) === undefined
}

/**
 * Whether a subscription that other processes run has messages left, told from the store alone. One sequence that waits
 * for a failed message counts as done.
 */
export async function isBehind(
  { checkpoints, events, retries }: Transaction,
  { name, division, options }: Subscription,
): Promise<boolean> {
  const { due, parked } = await retries.outlook(name)
  if (due > 0) return true
  if (options.key === undefined && parked > 0) return false
  const rows = await checkpoints.list(name)
  const positions = rows.map(({ position }) => position)
  const least = rows.length < division.partitions ? 0 : Math.min(...positions)
  const query = [{ types: options.types }]
  const { messages } = await events.readAll({ query, after: least, limit: 1 })
  return messages.length > 0
}
