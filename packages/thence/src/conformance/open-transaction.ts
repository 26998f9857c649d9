/** A document as the plainest write, and a transaction that stays open until it is told how to end. */
import type { Database, Transaction } from '../ports/database.ts'
import { messages, throwsSame } from './samples.ts'

export const put = (transaction: Transaction, key: string): unknown =>
  transaction.documents.put('c', key, '{}')

export const keys = (database: Database): Promise<string[]> =>
  database.read(async ({ documents }) =>
    (await documents.list('c', { limit: 100 })).map(({ key }) => key),
  )

/** A transaction that has written `half` and waits to be told how to end. */
export function openTransaction(database: Database): {
  written: Promise<void>
  end(error?: Error): Promise<void>
} {
  const written = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<Error | undefined>()
  const done = database.transact(async (transaction) => {
    await put(transaction, 'half')
    await transaction.events.append({ stream: 's', messages: messages('half') })
    written.resolve()
    const error = await ending.promise
    if (error) throw error
    await put(transaction, 'whole')
  })
  return {
    written: written.promise,
    async end(error) {
      ending.resolve(error)
      if (error) await throwsSame(error, () => done)
      else await done
    },
  }
}
