/**
 * A key of another version: what the partitions have done, and what waits behind what, is told by the key, so a subscription
 * goes over to another one only where that makes no difference.
 */
import { ThenceError } from '../errors.ts'
import { quoted } from '../internal/text.ts'
import type { Transaction } from '../ports/database.ts'

/** A subscription whose key is to change. */
export interface Rekeyed {
  readonly name: string
  /** Subscriptions that go by the same key. */
  readonly beside: readonly string[]
  /** Types that it takes, before or after. */
  readonly types: readonly string[]
  readonly stored: number
  readonly wanted: number
}

/** Between which positions it depends on the key whether a message was done. */
export interface Apart {
  readonly least: number
  readonly most: number
}

interface Obstacle {
  readonly what: string
  readonly advice: string
  readonly details: object
}

const waiting = async (
  { retries }: Transaction,
  { name, beside }: Rekeyed,
): Promise<Obstacle | undefined> => {
  for (const subscription of [name, ...beside]) {
    if (!(await retries.upcoming(subscription)).any) continue
    const { due, parked, queued } = await retries.outlook(subscription)
    return {
      what: `messages of ${subscription} wait under the old one (${due} due, ${parked} parked, ${queued} queued)`,
      advice:
        'Run the version before until none is due, and redrive or discard what is parked ' +
        `(thence dead-letters list --subscription ${quoted(subscription)}); then start this one.`,
      details: { due, parked, queued },
    }
  }
  return undefined
}

const standingApart = async (
  { events }: Transaction,
  { name, types }: Rekeyed,
  { least, most }: Apart,
): Promise<Obstacle | undefined> => {
  if (most <= least) return undefined
  const query = [{ types }]
  const between = await events.readAll({ query, after: least, before: most + 1, limit: 1 })
  if (between.messages.length === 0) return undefined
  return {
    what: `its partitions stand apart, at positions from ${least} to ${most}`,
    advice:
      `Run the version before until all of them stand at one position (thence subscriptions show ${quoted(name)}); while messages ` +
      `go on coming, run it with partitions: 1 until it is past ${most}. Then start this one.`,
    details: { least, most },
  }
}

/**
 * Whether nothing of a subscription depends on its key at the moment.
 * @throws STATE_INVALID with what does, and what to do.
 */
export async function requireNoKeys(
  transaction: Transaction,
  rekeyed: Rekeyed,
  apart: Apart,
): Promise<void> {
  const obstacle =
    (await waiting(transaction, rekeyed)) ?? (await standingApart(transaction, rekeyed, apart))
  if (obstacle === undefined) return
  const { name, stored, wanted } = rekeyed
  throw new ThenceError(
    'STATE_INVALID',
    `The key of ${name} is of version ${stored} in the store and of version ${wanted} in this app, and cannot change now: ` +
      `${obstacle.what}. ${obstacle.advice}`,
    { details: { subscription: name, stored, keyVersion: wanted, ...obstacle.details } },
  )
}
