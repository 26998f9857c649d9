/**
 * Who needs what of the log, told from the store alone: every subscription that has left a trace, also of apps that do
 * not run now.
 */
import type { Transaction } from '../ports/database.ts'
import { loadVersions, splitSideName } from '../project/versions.ts'
import type { Reader, Standing } from '../retain/holds.ts'
import { openSagas } from '../saga/run.ts'
import { loadDivision } from '../subscribe/division.ts'
import type { PartRecord } from './part-records.ts'
import { loadParts } from './part-records.ts'
import { replayReaders } from './replay-history.ts'

/** Where the slowest partition of a subscription is; one that has not begun is at the beginning. */
export const positionOf = async (transaction: Transaction, name: string): Promise<number> => {
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
  reason: 'reader',
})

/**
 * A version of a view that is filled beside the one that serves reads what its projection reads; one that is kept, or
 * that was dropped, reads nothing.
 */
const sideReader = async (
  transaction: Transaction,
  name: string,
  parts: readonly PartRecord[],
): Promise<Reader | undefined> => {
  const { projection = '', version } = splitSideName(name) ?? {}
  const part = parts.find((one) => one.name === projection && one.part === 'projection')
  // Nobody has told what it is: it may read anything.
  if (part === undefined) return readerOf(transaction, { name })
  const { building } = await loadVersions(transaction, projection)
  return building?.version === version ? readerOf(transaction, { ...part, name }) : undefined
}

/** @param ignore subscriptions that nothing is kept for. */
export async function standingOf(
  transaction: Transaction,
  ignore: readonly string[] = [],
): Promise<Standing> {
  const parts = await loadParts(transaction)
  const readers: Reader[] = []
  for (const part of parts)
    if (!part.inline && !ignore.includes(part.name)) readers.push(await readerOf(transaction, part))
  const known = new Set([...ignore, ...parts.map(({ name }) => name)])
  const rows = await transaction.checkpoints.list()
  for (const name of new Set(rows.map(({ subscription }) => subscription))) {
    const reader = known.has(name) ? undefined : await sideReader(transaction, name, parts)
    if (reader !== undefined) readers.push(reader)
  }
  for (const reader of await replayReaders(transaction))
    if (!ignore.includes(reader.name)) readers.push(reader)
  const of = (kind: PartRecord['part']): readonly PartRecord[] =>
    parts.filter(({ part }) => part === kind)
  return {
    readers,
    aggregates: new Map(of('aggregate').map(({ name, snapshot }) => [name, snapshot])),
    sagas: new Map(of('saga').map(({ name }) => [name, openSagas(name)])),
  }
}
