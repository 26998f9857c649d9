/**
 * Views at the start of an app: made if they are new, and built anew where this app keeps them in another way than the
 * one before, or where an app that did not have them has appended what they are made of. Compared at the start only:
 * two running apps that differ must not undo each other's work in turns.
 */
import type { Signals } from '../observe/signals.ts'
import type { Transaction } from '../ports/database.ts'
import { requireHistory } from '../project/history.ts'
import { buildInline } from '../project/inline.ts'
import type { Projection } from '../project/projection.ts'
import { servingName } from '../project/versions.ts'
import type { Store } from '../store/store.ts'
import { beginAnew, forget } from '../subscribe/anew.ts'
import type { Gained } from '../subscribe/division.ts'
import { take } from '../subscribe/taken.ts'
import { loadPart, recordOf, savePart } from './part-records.ts'

/** Whether anything was appended after `position` that the view is made of. */
const missed = async (
  { events }: Transaction,
  projection: Projection,
  position: number,
): Promise<boolean> => {
  const query = [{ types: [...projection.on.keys()] }]
  const { messages } = await events.readAll({ query, after: position, limit: 1 })
  return messages.length > 0
}

/** Whether the view is not what its projection would have made of the log up to its checkpoint. */
const isStale = async (transaction: Transaction, projection: Projection): Promise<boolean> => {
  const { name, inline } = projection
  const before = await loadPart(transaction, name)
  if (before !== undefined && (before.part !== 'projection' || before.inline !== inline))
    return true
  // One that follows goes on at its checkpoint, however long it was away.
  if (!inline) return false
  const checkpoint = await transaction.checkpoints.load(name)
  if (checkpoint === undefined || checkpoint.rebuildAsked) return true
  return before?.absent !== undefined && missed(transaction, projection, before.absent.position)
}

/** Builds an inline view anew, in one transaction, however long that takes. Gives up to where it was built. */
export function rebuildInline(store: Store, projection: Projection): Promise<number> {
  return store.transact(({ transaction }) => build(store, projection, transaction), {
    timeout: Infinity,
  })
}

const build = async (
  { tools }: Store,
  projection: Projection,
  transaction: Transaction,
): Promise<number> => {
  await forget(transaction, projection.name)
  return buildInline(projection, transaction, tools.codec)
}

/** Empties the view of a following projection; its subscription fills it again. */
const restart = async (transaction: Transaction, { name, view }: Projection): Promise<number> => {
  await view.clear(transaction, await servingName(transaction, name))
  return beginAnew(transaction, name)
}

/** A new view is made of what there is; one that was there before must not lose what was in it. */
const requireWhole = async (transaction: Transaction, { name, on }: Projection): Promise<void> => {
  if ((await loadPart(transaction, name)) === undefined) return
  await requireHistory(transaction, { projection: name, types: [...on.keys()] })
}

/** Brings one view in line with its projection, before anything runs. */
const prepareView = async (
  store: Store,
  projection: Projection,
  signals: Signals,
): Promise<void> => {
  if (!(await store.read((transaction) => isStale(transaction, projection)))) return
  let through = 0
  await store.transact(
    async ({ transaction }) => {
      // Another process may have done it meanwhile.
      if (!(await isStale(transaction, projection))) return
      await requireWhole(transaction, projection)
      if (projection.inline) await build(store, projection, transaction)
      else through = await restart(transaction, projection)
      await savePart(transaction, recordOf(projection))
    },
    { timeout: Infinity },
  )
  if (through > 0) signals.emit({ name: 'rebuild-started', subscription: projection.name, through })
}

/** Makes what views need, and builds anew those that are not what they should be. */
export async function prepareViews(
  store: Store,
  projections: readonly Projection[],
  signals: Signals,
): Promise<void> {
  await store.transact(async ({ transaction }) => {
    for (const { view, name } of projections)
      await view.create(transaction, await servingName(transaction, name))
  })
  for (const projection of projections) await prepareView(store, projection, signals)
}

/**
 * Notes of inline views which types they are made of from now on; gives those of which something was appended before by
 * apps whose view does without.
 */
export async function takeInline(
  transaction: Transaction,
  projections: readonly Projection[],
): Promise<readonly Gained[]> {
  const position = await transaction.events.head()
  const lacking: Gained[] = []
  for (const { name, inline, on } of projections) {
    if (!inline) continue
    const one = await take(transaction, { name, types: [...on.keys()], position })
    if (one !== undefined) lacking.push(one)
  }
  return lacking
}

/** Builds an inline view anew if an operator asked for it. */
export async function rebuildIfAsked(store: Store, projection: Projection): Promise<void> {
  const checkpoint = await store.read(({ checkpoints }) => checkpoints.load(projection.name))
  if (checkpoint?.rebuildAsked === true) await rebuildInline(store, projection)
}
