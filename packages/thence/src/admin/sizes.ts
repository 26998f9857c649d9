/**
 * How large the store is, by category of its log and by what stands beside it.
 */
import type { StoreSize } from '../ports/sizes.ts'
import type { On } from './on.ts'

/** Rows of one table that are counted at most. */
export const countedRows = 100_000

/** Exact for the log; of other tables at most 100,000 rows are counted. */
export function sizes({ database }: On): Promise<StoreSize> {
  return database.read((transaction) => transaction.sizes.read(countedRows))
}
