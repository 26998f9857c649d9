/**
 * What a user does of ours inside a transaction that their own library holds: it commits with their rows, or not at all.
 */
import { ThenceError } from '../errors.ts'
import type { OwnTransaction } from '../ports/database.ts'
import type { Transacting, TransactionOptions, TransactionResult } from './transact.ts'
import { runTransaction } from './transact.ts'
import type { AppTransaction } from './transaction.ts'

/** What can be done inside a transaction of your own; for rows you have your library. See {@link AppTransaction}. */
export type WithinTransaction<C extends string = string> = Pick<
  AppTransaction<C>,
  'append' | 'send' | 'stream'
>

export interface Within extends Transacting {
  readonly own: OwnTransaction
}

const checkOwn = (own: Partial<OwnTransaction> | undefined | null): void => {
  if (typeof own?.query === 'function' && typeof own.library === 'string' && own.of) return
  throw new ThenceError(
    'CONFIG_INVALID',
    'within takes a transaction that a function of thence/postgres made of what your library gives: fromPg(client), fromKysely(trx) and so on.',
  )
}

/** Documents and SQL of ours are not: what a user's own rows need is the user's library. */
const offered = <C extends string>(transaction: AppTransaction<C>): WithinTransaction<C> => {
  const { documents: _documents, sql: _sql, ...rest } = transaction
  return rest
}

/** See `App.within`. */
export async function runWithin<C extends string, T>(
  work: (transaction: WithinTransaction<C>) => Promise<T> | T,
  on: Within,
  options: TransactionOptions,
): Promise<TransactionResult<T>> {
  checkOwn(on.own)
  return runTransaction<C, T>((transaction) => work(offered(transaction)), on, options)
}
