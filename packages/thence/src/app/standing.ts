/**
 * Who needs what of the log, told from the store alone: every subscription that has left a trace, also of apps that do
 * not run now.
 */
import type { Transaction } from '../ports/database.ts'
import type { Reader, Standing } from '../retain/holds.ts'
import { openSagas } from '../saga/run.ts'
import { loadDivision } from '../subscribe/division.ts'
import type { PartRecord } from './part-records.ts'
import { loadParts } from './part-records.ts'

/** Where the slowest partition of a subscription is; one that has not begun is at the beginning. */
const positionOf = async (transaction: Transaction, name: string): Promise<number> => {
  const rows = await transaction.checkpoints.list(name)
  const { partitions } = await loadDivision(transaction, name)
  return rows.length < partitions ? 0 : Math.min(...rows.map(({ position }) => position))
}

const readerOf = async (
  transaction: Transaction,
  { name, types }: Pick<PartRecord, 'name' | 'types'>,
): Promise<Reader> => ({
  name,
  types: types === undefined ? undefined : new Set(types),
  position: await positionOf(transaction, name),
})

/** @param ignore subscriptions that nothing is kept for. */
export async function standingOf(
  transaction: Transaction,
  ignore: readonly string[] = [],
): Promise<Standing> {
  const parts = await loadParts(transaction)
  const known = new Set([...ignore, ...parts.map(({ name }) => name)])
  const readers: Reader[] = []
  for (const part of parts)
    if (!part.inline && !ignore.includes(part.name)) readers.push(await readerOf(transaction, part))
  for (const { subscription: name, partition } of await transaction.checkpoints.list())
    if (partition === 0 && !known.has(name)) readers.push(await readerOf(transaction, { name }))
  const of = (kind: PartRecord['part']): readonly PartRecord[] =>
    parts.filter(({ part }) => part === kind)
  return {
    readers,
    aggregates: new Map(of('aggregate').map(({ name, snapshot }) => [name, snapshot])),
    sagas: new Map(of('saga').map(({ name }) => [name, openSagas(name)])),
  }
}
