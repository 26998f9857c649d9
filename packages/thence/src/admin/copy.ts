/**
 * A store moved to another database: positions, versions, checkpoints, sagas and everything else stay as they are. Nothing runs on
 * the target before all of it is there and was compared.
 */
import type { PartRecord } from '../app/part-records.ts'
import { loadParts } from '../app/part-records.ts'
import { isThenceError, ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { Copying, Held } from '../ports/copying.ts'
import { copiedLog } from '../ports/copying.ts'
import type { Database, Transaction } from '../ports/database.ts'
import { dropVersion } from '../project/acts.ts'
import { requireHistory } from '../project/history.ts'
import { loadVersions } from '../project/versions.ts'
import type { CopiedContents, CopyProgress, Copies } from './copy-tables.ts'
import { copyLog, copyTables, counting, verifyAll } from './copy-tables.ts'
import { beginAnew } from '../subscribe/anew.ts'
import type { On } from './on.ts'
import { audited, runtimeOf } from './on.ts'
import { askInPlace } from './views.ts'

export interface CopyStoreOptions {
  /** Also if views in tables, which are built anew, can't be whole because retention has removed events. */
  readonly truncated?: boolean
  readonly onProgress?: (progress: CopyProgress) => void
  /** Looked at after each page; what was copied stays. */
  readonly signal?: AbortSignal
}

const optionNames: OptionNames<CopyStoreOptions> = {
  truncated: true,
  onProgress: true,
  signal: true,
}

export interface CopiedStore {
  /** Of both stores. */
  readonly identity: string
  readonly tables: readonly CopiedContents[]
  /** Projections that keep tables of their own: an app builds them anew at its next start. */
  readonly rebuilds: readonly string[]
}

type Side = 'source' | 'target'

/** Says of which of the stores an error is. */
const told = async <T>(side: Side, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!isThenceError(error)) throw error
    const { code, message, details } = error
    throw new ThenceError(code, `The ${side}: ${message}`, { cause: error, details })
  }
}

/** Errors of what is done meanwhile are not the store's. */
const holding = async <T>(
  copying: Copying,
  side: Side,
  work: (held: Held) => Promise<T>,
): Promise<T> => {
  let done: Promise<T> | undefined
  await told(side, () =>
    copying.hold(async (held) => {
      done = work(held)
      await done.catch(() => undefined)
    }),
  )
  return done!
}

const named = (copying: Copying, side: Side): Copying => ({
  ...(copying.names !== undefined && { names: () => told(side, () => copying.names!()) }),
  ...(copying.openAppend !== undefined && {
    openAppend: () => told(side, () => copying.openAppend!()),
  }),
  filling: () => told(side, () => copying.filling()),
  begin: (source) => told(side, () => copying.begin(source)),
  end: () => told(side, () => copying.end()),
  count: (table) => told(side, () => copying.count(table)),
  lastKey: (table) => told(side, () => copying.lastKey(table)),
  rows: (table, options) => told(side, () => copying.rows(table, options)),
  write: (table, rows) => told(side, () => copying.write(table, rows)),
  clear: (table) => told(side, () => copying.clear(table)),
  hold: (work) => holding(copying, side, work),
})

const copyingOf = (database: Database, side: Side): Copying => {
  if (database.copying !== undefined) return named(database.copying(), side)
  throw new ThenceError(
    'CAPABILITY_MISSING',
    `A store in ${database.name} can't be copied or filled: it doesn't outlive its process.`,
  )
}

/** Marks the target as being filled from the source, unless it is already. @throws STATE_INVALID */
async function begin(target: Database, copying: Copying, source: string): Promise<void> {
  if ((await target.plan()).pending.length > 0) await target.migrate()
  const filling = await copying.filling()
  if (filling.source === source) return
  if (filling.source !== undefined)
    throw new ThenceError(
      'STATE_INVALID',
      'The target is being filled from another store. Copy that one to its end, or give an empty target.',
      { details: { source, filling: filling.source } },
    )
  if ((await target.identity()) === source)
    throw new ThenceError(
      'STATE_INVALID',
      'The target is the source, or a whole copy of it already. Nothing was changed.',
      { details: { source } },
    )
  if (!filling.empty)
    throw new ThenceError(
      'STATE_INVALID',
      'The target is a store that holds something of its own. Nothing was changed; give an empty schema, database or file.',
      { details: { source } },
    )
  await copying.begin(source)
}

/** Whoever is alive may write; those that only append are not known here, but their messages are found missing. */
function refuseRunning(names: readonly string[]): void {
  if (names.length === 0) return
  throw new ThenceError(
    'STORE_BUSY',
    `The log is copied, but apps run on the source and go on to write: ${names.join(', ')}. Stop them, then copy again: ` +
      'only what is new is copied.',
    { details: { members: names } },
  )
}

const namesOf = ({ database }: On): Promise<readonly string[]> =>
  database.read(async ({ leases }) => (await leases.members()).map(({ name }) => name))

/**
 * The target is whole from here on, unless the source was written to since it was compared. Nobody can write to that meanwhile: what is
 * acknowledged before the target is whole is in it.
 */
async function end({ source, target }: Copies, [log]: readonly CopiedContents[]): Promise<void> {
  const last = await target.lastKey(copiedLog)
  await source.hold(async (held) => {
    refuseRunning(await held.members())
    const isSame =
      (await held.count(copiedLog)) === log?.rows &&
      String(await held.lastKey(copiedLog)) === String(last)
    if (!isSame)
      throw new ThenceError(
        'STORE_BUSY',
        'The log of the source was written to while the rest was compared. Stop whatever appends to it, then copy again: ' +
          'only what is new is copied.',
      )
    await target.end()
  })
}

const keepsTables = ({ view }: PartRecord): boolean => view?.kind === 'tables'

/** Tables are in the SQL of one database: their views are built anew from the log. @throws HISTORY_TRUNCATED */
async function viewsInTables({ database }: On, truncated: boolean): Promise<readonly PartRecord[]> {
  return database.read(async (transaction) => {
    const views = (await loadParts(transaction)).filter(keepsTables)
    if (truncated) return views
    for (const { name, types = [] } of views)
      await requireHistory(transaction, { projection: name, types })
    return views
  })
}

/**
 * Two stores of one database with one schema for their views would share the tables of one: neither is right, and what drops a version
 * in one takes it from the other. @throws CONFIG_INVALID
 */
async function refuseShared(
  { source, target }: Copies,
  views: readonly PartRecord[],
): Promise<void> {
  if (views.length === 0) return
  const [from, to] = [await source.names?.(), await target.names?.()]
  if (from === undefined || from.database !== to?.database) return
  if (from.views !== to.views) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `Both stores are in one database, and tables of views would be the same ones in both, in the schema ${to.views}: ` +
      `${views.map(({ name }) => name).join(', ')}. Nothing was changed. Name another schema for those of the target: ` +
      'postgres://…?schema=shop&views=shop_views. Or copy to another database.',
    { details: { schema: to.views, projections: views.map(({ name }) => name) } },
  )
}

/** The view that serves begins again, and answers nothing until it is whole; of the others there is nothing to go on with. */
async function begunAnew(
  on: On,
  transaction: Transaction,
  { name, types = [], inline }: PartRecord,
): Promise<void> {
  const { building, kept } = await loadVersions(transaction, name)
  const reason = 'The store was copied; tables are not.'
  const doing = { runtime: runtimeOf(on), projection: name, types, actor: on.actor, reason }
  for (const version of [building?.version, kept?.version])
    if (version !== undefined) await dropVersion(transaction, doing, version)
  if (inline) return askInPlace(on, transaction, { name, reason })
  await beginAnew(transaction, name)
  await audited(on, transaction, { action: 'projection.rebuild', target: name, reason })
}

/**
 * Copies a store to another database, of whatever kind, and compares both. The target is empty, or was being filled from the
 * same source: then only what is missing is copied. While apps run on the source only the log is copied, so that less is left
 * for the time in which they stand still.
 * @param on the source, of which nothing is changed
 * @param target open; it is migrated. Until all is copied and found to be the same no app starts on it (STORE_INCOMPLETE).
 * @throws CAPABILITY_MISSING, CONFIG_INVALID (both stores would share tables of views), STATE_INVALID (a target with something of
 * its own), STORE_BUSY (apps run on the source, or something appends to it), HISTORY_TRUNCATED (a view in tables can't be built anew), STORE_CORRUPT (the
 * logs differ), ABORTED
 */
export async function copyStore(
  on: On,
  target: Database,
  options: CopyStoreOptions = {},
): Promise<CopiedStore> {
  expectOptions('copyStore', options, optionNames)
  const { truncated = false, onProgress, signal } = options
  const filled = copyingOf(target, 'target')
  const copies: Copies = {
    source: copyingOf(on.database, 'source'),
    target: filled,
    onProgress,
    signal,
  }
  const identity = await on.database.identity()
  const views = await viewsInTables(on, truncated)
  await refuseShared(copies, views)
  await begin(target, filled, identity)
  const count = await counting(copies)
  await copyLog(copies, count)
  refuseRunning(await namesOf(on))
  await copyTables(copies, count)
  const tables = await verifyAll(copies)
  const rebuilds = views.map(({ name }) => name)
  await target.transact(async (transaction) => {
    const there: On = { ...on, database: target }
    for (const view of views) await begunAnew(there, transaction, view)
    const details = { from: on.database.name, to: target.name }
    await audited(there, transaction, { action: 'store.copy', target: identity, details })
  })
  await end(copies, tables)
  return { identity, tables, rebuilds }
}
