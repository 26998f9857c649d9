/**
 * How a subscription is divided into partitions, as the store knows it. The number can change: what the old partitions
 * had done beyond the slowest of them is remembered as floors, so that nothing is done twice and nobody has to wait.
 */
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'

/** Of `positions.length` partitions each had done everything up to its position. */
export interface Floor {
  readonly positions: readonly number[]
}

export interface Division {
  readonly partitions: number
  readonly floors: readonly Floor[]
}

export const undivided: Division = { partitions: 1, floors: [] }

const collection = '$partitions'

export async function loadDivision(
  { documents }: Pick<Transaction, 'documents'>,
  subscription: string,
): Promise<Division> {
  const text = await documents.get(collection, subscription)
  return text === undefined ? undivided : (JSON.parse(text) as Division)
}

const pageSize = 500

/** Of all subscriptions that are, or were, divided. */
export async function allDivisions({
  documents,
}: Pick<Transaction, 'documents'>): Promise<ReadonlyMap<string, Division>> {
  const divisions = new Map<string, Division>()
  let after: string | undefined
  for (;;) {
    const from = after === undefined ? {} : { after }
    const page = await documents.list(collection, { limit: pageSize, ...from })
    for (const { key, value } of page) divisions.set(key, JSON.parse(value) as Division)
    if (page.length < pageSize) return divisions
    after = page.at(-1)?.key
  }
}

/** Whether a message was done before the subscription was divided as it is now. */
export const isDone = (
  { floors }: Division,
  { hash, position }: { readonly hash: number; readonly position: number },
): boolean => floors.some(({ positions }) => position <= (positions[hash % positions.length] ?? 0))

export interface Wanted {
  readonly name: string
  readonly partitions: number
  readonly from: 'start' | 'now'
}

const positionsOf = (rows: readonly Checkpoint[], partitions: number): readonly number[] =>
  Array.from(
    { length: partitions },
    (_, partition) => rows.find((row) => row.partition === partition)?.position ?? 0,
  )

const places = (partitions: number, position: number): readonly number[] =>
  Array.from({ length: partitions }, () => position)

/**
 * Brings the stored division in line with what an app wants that starts; whoever holds a lease of another division is
 * fenced. Two running apps never undo each other.
 */
export async function divide(transaction: Transaction, wanted: Wanted): Promise<void> {
  const { checkpoints, documents, events } = transaction
  const { name, partitions, from } = wanted
  const rows = await checkpoints.list(name)
  const before = await loadDivision(transaction, name)
  const isNew = rows.length === 0
  if (before.partitions === partitions && !(isNew && from === 'now')) return
  const done = positionsOf(rows, before.partitions)
  const start = isNew && from === 'now' ? await events.head() : Math.min(...done)
  // What every partition is past needs no floor any more.
  const floors = [...before.floors, { positions: done }].filter(({ positions }) =>
    positions.some((position) => position > start),
  )
  await checkpoints.divide(name, places(partitions, start))
  if (before.partitions !== partitions)
    await documents.put(collection, name, JSON.stringify({ partitions, floors }))
}

/** Whether a subscription is still divided as this process knows it. */
export async function isDividedAs(
  transaction: Pick<Transaction, 'documents'>,
  { name, division }: { readonly name: string; readonly division: Division },
): Promise<boolean> {
  return JSON.stringify(await loadDivision(transaction, name)) === JSON.stringify(division)
}
