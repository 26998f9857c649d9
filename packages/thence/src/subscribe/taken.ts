/**
 * Of which types of messages a view is made, and of which it lacks some: processes of several versions follow the log for it,
 * and one that does without a type passes it over. That is noted where another one takes over, so that somebody is told.
 */
import type { Transaction } from '../ports/database.ts'
import type { Gained } from './division.ts'

/** A type, and up to which position. */
export interface Through {
  readonly type: string
  readonly position: number
}

/** A type of which something is missing. */
export interface Missed extends Through {
  /** Since when that is known, Unix milliseconds. */
  readonly time: number
}

export interface Taken {
  /** Nothing of these is passed over now. */
  readonly types: readonly string[]
  /** Nothing of these was passed over up to there; since then it is. */
  readonly left: readonly Through[]
  /** Something of these was passed over up to there. */
  readonly missed: readonly Missed[]
}

const collection = '$taken'
const pageSize = 500

export async function loadTaken(
  { documents }: Pick<Transaction, 'documents'>,
  subscription: string,
): Promise<Taken | undefined> {
  const text = await documents.get(collection, subscription)
  return text === undefined ? undefined : (JSON.parse(text) as Taken)
}

/** Of all views, by subscription. */
export async function allTaken({
  documents,
}: Pick<Transaction, 'documents'>): Promise<ReadonlyMap<string, Taken>> {
  const all = new Map<string, Taken>()
  for (let after: string | undefined; ; after = [...all.keys()].at(-1)) {
    const from = after === undefined ? {} : { after }
    const page = await documents.list(collection, { limit: pageSize, ...from })
    for (const { key, value } of page) all.set(key, JSON.parse(value) as Taken)
    if (page.length < pageSize) return all
  }
}

/** `undefined` forgets it. */
export async function saveTaken(
  { documents }: Transaction,
  subscription: string,
  taken: Taken | undefined,
): Promise<void> {
  if (taken === undefined) await documents.delete(collection, subscription)
  else await documents.put(collection, subscription, JSON.stringify(taken))
}

const of = (list: readonly Through[], type: string): number | undefined =>
  list.find((one) => one.type === type)?.position

const without = <T extends Through>(list: readonly T[], types: readonly string[]): readonly T[] =>
  list.filter(({ type }) => !types.includes(type))

export interface Taking {
  /** The subscription that makes the view. */
  readonly name: string
  /** What goes on with it takes. */
  readonly types: readonly string[]
  /** Where it stands. */
  readonly position: number
}

/** What becomes of it where somebody goes on with the view who takes other types; gives those of which some was passed over. */
export async function takenBy(
  { events, timers }: Transaction,
  before: Taken,
  { types, position }: Omit<Taking, 'name'>,
): Promise<{ readonly taken: Taken; readonly lacking: readonly string[] }> {
  const gained = types.filter((type) => !before.types.includes(type))
  const lost = before.types.filter((type) => !types.includes(type))
  const lacking: string[] = []
  for (const type of gained) {
    const after = of(before.left, type) ?? 0
    if (after >= position) continue
    const query = [{ types: [type] }]
    const page = await events.readAll({ query, after, before: position + 1, limit: 1 })
    if (page.messages.length > 0) lacking.push(type)
  }
  const time = lacking.length === 0 ? 0 : await timers.now()
  const taken = {
    types,
    left: [...without(before.left, types), ...lost.map((type) => ({ type, position }))],
    missed: [
      ...without(before.missed, lacking),
      ...lacking.map((type) => ({ type, position, time })),
    ],
  }
  return { taken, lacking }
}

/** Notes who goes on with a view; gives the types of which it lacks some from now on, if there are any. */
export async function take(
  transaction: Transaction,
  { name, types, position }: Taking,
): Promise<Gained | undefined> {
  const before = await loadTaken(transaction, name)
  if (before === undefined) {
    await saveTaken(transaction, name, { types, left: [], missed: [] })
    return undefined
  }
  const { taken, lacking } = await takenBy(transaction, before, { types, position })
  if (JSON.stringify(taken) !== JSON.stringify(before)) await saveTaken(transaction, name, taken)
  return lacking.length === 0 ? undefined : { subscription: name, types: lacking, position }
}

/**
 * A view is made anew, from the start of the log.
 * @param types of who makes it; default: who goes on with it is who did before.
 */
export async function takeAnew(
  transaction: Transaction,
  name: string,
  types?: readonly string[],
): Promise<void> {
  const made = types ?? (await loadTaken(transaction, name))?.types
  if (made !== undefined) await saveTaken(transaction, name, { types: made, left: [], missed: [] })
}
