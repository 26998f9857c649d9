/**
 * Transactions of the user's as the torture kit holds them open: several of them append at once.
 */
import type { Database } from '../../ports/database.ts'
import { orBusy, requestOf } from './asking.ts'
import type { TortureTransaction } from './subject.ts'

/** One connection beside those of the store. */
export interface TortureOwn {
  query(text: string, values: readonly string[]): Promise<readonly unknown[]>
  close(): Promise<void>
}

/** Nobody is told of what is appended: a transaction that has told others can't be prepared. */
const untold = (own: TortureOwn): TortureOwn['query'] => {
  const nothing = [{ answer: '[]' }]
  return async (text, values) => (text.includes('pg_notify') ? nothing : own.query(text, values))
}

/** Begins one on a connection of its own, which is closed with it. */
export async function beginOwn(
  database: Database,
  open: () => Promise<TortureOwn>,
): Promise<TortureTransaction> {
  const own = await open()
  const query = untold(own)
  const transaction = { library: 'the torture kit', of: own, query }
  const end = async (how: string): Promise<void> => {
    try {
      await query(how, [])
    } finally {
      await own.close()
    }
  }
  await query('BEGIN', [])
  return {
    append: (request) =>
      orBusy(() =>
        database.join!(transaction, ({ events }) => events.append(requestOf(request)), {
          alone: false,
          timeout: Infinity,
        }),
      ),
    touch: () => query('SELECT pg_current_xact_id()', []),
    async savepoint() {
      await query('SAVEPOINT torture', [])
      return {
        keep: async () => void (await query('RELEASE torture', [])),
        undo: async () => void (await query('ROLLBACK TO torture', [])),
      }
    },
    prepare: (name) => end(`PREPARE TRANSACTION '${name}'`),
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
  }
}
