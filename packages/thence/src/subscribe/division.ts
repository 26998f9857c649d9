/**
 * How a subscription is divided into partitions, as the store knows it. The number can change: what the old partitions
 * had done beyond the slowest of them is remembered as floors, so that nothing is done twice and nobody has to wait. With it
 * stands which types of messages belong to the subscription, so that no process runs it that would pass some over, and by
 * which version of its key it is divided.
 */
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import { requireNoKeys } from './key-version.ts'

/** Of `positions.length` partitions each had done everything up to its position. */
export interface Floor {
  readonly positions: readonly number[]
}

export interface Division {
  readonly partitions: number
  readonly floors: readonly Floor[]
  /** Whoever runs it has to go by this version of its key; absent: by the first. */
  readonly keyVersion?: number
  /** Whoever runs it has to take all of these types, in order; absent: nobody has to take any. */
  readonly types?: readonly string[]
}

export const undivided: Division = { partitions: 1, floors: [] }

/** By which version of its key a subscription is divided. */
export const keyVersionOf = ({ keyVersion = 1 }: Pick<Division, 'keyVersion'>): number => keyVersion

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
  /** Of the key by which it is divided; default 1. */
  readonly keyVersion?: number
  /** Subscriptions that go by the same key, undivided. Default: none. */
  readonly beside?: readonly string[]
  /** Types that belong to it from now on; absent: of a view, which is to be rebuilt when they change. */
  readonly types?: readonly string[]
}

/** Types that a subscription takes from a position on, and did not before. */
export interface Gained {
  readonly subscription: string
  readonly types: readonly string[]
  readonly position: number
}

/** Types that belong to the subscription and that `types` does without: who takes only those would pass some over. */
export const lackingTypes = (division: Division, types: readonly string[]): readonly string[] =>
  (division.types ?? []).filter((type) => !types.includes(type))

const save = async (
  { documents }: Transaction,
  name: string,
  division: Division,
): Promise<void> => {
  await documents.put(collection, name, JSON.stringify(division))
}

const positionsOf = (rows: readonly Checkpoint[], partitions: number): readonly number[] =>
  Array.from(
    { length: partitions },
    (_, partition) => rows.find((row) => row.partition === partition)?.position ?? 0,
  )

const places = (partitions: number, position: number): readonly number[] =>
  Array.from({ length: partitions }, () => position)

/** The highest of two floors whose numbers of partitions divide each other, as one: exactly what either says is done. */
const join = (most: Floor, other: Floor): Floor => ({
  positions: most.positions.map((position, index) =>
    Math.max(position, other.positions[index % other.positions.length] ?? 0),
  ),
})

/** As few floors as say the same; what every partition is past needs none. */
const gather = (floors: readonly Floor[], start: number): readonly Floor[] => {
  const kept: Floor[] = []
  for (const floor of floors.toSorted((a, b) => b.positions.length - a.positions.length)) {
    if (floor.positions.every((position) => position <= start)) continue
    const index = kept.findIndex(({ positions }) => positions.length % floor.positions.length === 0)
    const found = kept[index]
    if (found === undefined) kept.push(floor)
    else kept[index] = join(found, floor)
  }
  return kept
}

/** From here on nobody moves it, or settles what waits, who holds it now. */
const fence = async (
  { checkpoints }: Transaction,
  name: string,
): Promise<readonly Checkpoint[]> => {
  const rows = await checkpoints.list(name)
  for (const { partition } of rows) await checkpoints.claim(name, { partition, epoch: 0 })
  return rows
}

/** Has a subscription that has begun go by a key of another version, from where both mean the same. */
async function placeByKey(
  transaction: Transaction,
  { name, partitions, keyVersion = 1, beside = [], types = [] }: Wanted,
  before: Division,
): Promise<Division> {
  const { checkpoints } = transaction
  const done = positionsOf(await checkpoints.list(name), before.partitions)
  const least = Math.min(...done)
  const most = Math.max(...done, ...before.floors.flatMap(({ positions }) => positions))
  const rekeyed = {
    name,
    beside,
    types: [...new Set([...(before.types ?? []), ...types])],
    stored: keyVersionOf(before),
    wanted: keyVersion,
  }
  await requireNoKeys(transaction, rekeyed, { least, most })
  for (const one of beside) await fence(transaction, one)
  // A view that is hidden while it is rebuilt stays so.
  if (before.partitions === partitions && done.every((position) => position === least))
    await fence(transaction, name)
  else await checkpoints.divide(name, places(partitions, least))
  return { ...before, partitions, floors: [], keyVersion }
}

/** Makes the partitions that are wanted; gives how the subscription is divided now. */
async function placePartitions(
  transaction: Transaction,
  wanted: Wanted,
  before: Division,
): Promise<Division> {
  const { name, partitions, from, keyVersion = 1 } = wanted
  const { checkpoints, events } = transaction
  const rows = await checkpoints.list(name)
  const isNew = rows.length === 0
  if (keyVersion !== keyVersionOf(before)) {
    if (!isNew) return placeByKey(transaction, wanted, before)
    return placePartitions(transaction, wanted, { ...before, keyVersion })
  }
  if (before.partitions === partitions && !(isNew && from === 'now')) return before
  const done = positionsOf(rows, before.partitions)
  const start = isNew && from === 'now' ? await events.head() : Math.min(...done)
  await checkpoints.divide(name, places(partitions, start))
  if (before.partitions === partitions) return before
  return { ...before, partitions, floors: gather([...before.floors, { positions: done }], start) }
}

/**
 * Brings the stored division in line with what an app wants that starts; whoever holds a lease of another division is
 * fenced. Two running apps never undo each other: types only come, and go when an operator says so. Gives those that came
 * to a subscription that had begun without them.
 * @throws STATE_INVALID (a key of another version, which something depends on)
 */
export async function divide(
  transaction: Transaction,
  wanted: Wanted,
): Promise<Gained | undefined> {
  const { name, types = [] } = wanted
  const before = await loadDivision(transaction, name)
  const placed = await placePartitions(transaction, wanted, before)
  const known = before.types ?? []
  const gained = types.filter((type) => !known.includes(type)).toSorted()
  const now = gained.length === 0 ? placed : { ...placed, types: [...known, ...gained].toSorted() }
  if (now === before) return undefined
  await save(transaction, name, now)
  if (gained.length === 0) return undefined
  // Who holds it without these types would move it past them, and be it only past what is in hand.
  const rows = await fence(transaction, name)
  const position = Math.min(...rows.map((row) => row.position))
  if (before.types === undefined || rows.length === 0 || position === 0) return undefined
  return { subscription: name, types: gained, position }
}

/** Types that do not belong to the subscription any more: who lacks them may run it. Gives those that did. */
export async function dropTypes(
  transaction: Transaction,
  name: string,
  types: readonly string[],
): Promise<readonly string[]> {
  const division = await loadDivision(transaction, name)
  const all = division.types ?? []
  const dropped = all.filter((type) => types.includes(type))
  if (dropped.length > 0)
    await save(transaction, name, {
      ...division,
      types: all.filter((type) => !types.includes(type)),
    })
  return dropped
}

/** Whether a subscription is still divided as this process knows it. */
export async function isDividedAs(
  transaction: Pick<Transaction, 'documents'>,
  { name, division }: { readonly name: string; readonly division: Division },
): Promise<boolean> {
  return JSON.stringify(await loadDivision(transaction, name)) === JSON.stringify(division)
}
