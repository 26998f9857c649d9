/**
 * Any adapter of Thence as a subject of the torture kit: its port is all that is used.
 */
import type { Database, Transaction } from '../../ports/database.ts'
import { isBusy, orBusy, requestOf } from './asking.ts'
import { beginOwn, type TortureOwn } from './own.ts'
import type {
  TortureClient,
  TortureReader,
  TortureSavepoint,
  TortureTransaction,
} from './subject.ts'

export interface TortureDatabase {
  /** Opened and migrated. */
  readonly database: Database
  /** Has the next commit of a transaction prepare it under this name instead. */
  readonly prepareAs?: (name: string) => void
  /** Opens a connection of the user's, in whose transactions the store appends. Default: transactions of the store, of which only one runs at a time. */
  readonly own?: () => Promise<TortureOwn>
}

/** Thrown into a transaction or a savepoint to have it rolled back. */
class Undone extends Error {}

const swallow = (error: unknown): void => {
  if (!(error instanceof Undone)) throw error
}

const savepointIn = async (transaction: Transaction): Promise<TortureSavepoint> => {
  const begun = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<boolean>()
  const done = transaction
    .savepoint(async () => {
      begun.resolve()
      if (!(await ending.promise)) throw new Undone()
    })
    .catch(swallow)
  await Promise.race([begun.promise, done])
  const end = (keep: boolean): Promise<void> => {
    ending.resolve(keep)
    return done
  }
  return { keep: () => end(true), undo: () => end(false) }
}

const beginOn = async ({
  database,
  prepareAs,
}: TortureDatabase): Promise<TortureTransaction | undefined> => {
  const begun = Promise.withResolvers<Transaction>()
  const ending = Promise.withResolvers<boolean>()
  const done = database.transact(
    async (transaction) => {
      begun.resolve(transaction)
      if (!(await ending.promise)) throw new Undone()
    },
    { timeout: Infinity },
  )
  const busy = done.then(
    () => undefined,
    (error: unknown) => {
      if (!isBusy(error)) throw error
    },
  )
  const transaction = await Promise.race([begun.promise, busy])
  if (transaction === undefined) return undefined
  const end = async (commit: boolean): Promise<void> => {
    ending.resolve(commit)
    await done.catch(swallow)
  }
  return {
    append: (request) => orBusy(() => transaction.events.append(requestOf(request))),
    touch: async () => transaction.documents.put('torture', 'touched', '{}'),
    savepoint: () => savepointIn(transaction),
    commit: () => end(true),
    rollback: () => end(false),
    ...(prepareAs && {
      prepare(name: string) {
        prepareAs(name)
        return end(true)
      },
    }),
  }
}

const readerOf = (database: Database): TortureReader => {
  let after = 0
  return {
    async next(limit) {
      const page = await database.read(({ events }) => events.readAll({ after, limit }))
      after = Math.max(after, page.through)
      return page.messages
    },
  }
}

/** A client of the kit on a database that was opened and migrated; closing it closes the database. */
export function tortureDatabase(opened: TortureDatabase): TortureClient {
  const { database, own } = opened
  return {
    append: (request) => orBusy(async () => (await database.append([requestOf(request)]))[0]!),
    reader: () => readerOf(database),
    begin: () => (own === undefined ? beginOn(opened) : beginOwn(database, own)),
    close: () => database.close(),
  }
}
