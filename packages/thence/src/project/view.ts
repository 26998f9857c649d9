/**
 * What a projection keeps, as a handle on the transaction of the effect. A view exists in versions, each under a name of
 * its own, so that one can be built beside the one that serves. A view knows nothing of subscriptions.
 */
import type { Transaction } from '../ports/database.ts'

/** A view's handle in one transaction. */
export interface Opened<View> {
  readonly view: View
  /**
   * Reads what is likely to be asked for under these keys; what was read in vain too often is not read any more.
   */
  readonly ahead?: (keys: readonly string[]) => Promise<void>
  /** Writes what was held back. */
  readonly flush: () => Promise<void>
  /** The work is over: what is asked of the view later is refused, because it would be lost. */
  readonly end: () => void
}

/** What identifies a row of each table, by the table's suffix: what a diff compares rows by. */
export type TableKeys = Readonly<Record<string, readonly string[]>>

/** How a projection keeps what it knows. `View` is what its functions are given; `name` is that of one version. */
export interface ViewDefinition<View> {
  readonly kind: 'documents' | 'tables'
  /** Whether versions of it can stand beside each other. If not, it can only be rebuilt in place. */
  readonly beside: boolean
  /** Of tables whose rows can be compared. */
  readonly keys?: TableKeys
  open(transaction: Transaction, name: string): Opened<View>
  /** Makes what must be there before the first message; safe to call again. */
  create(transaction: Transaction, name: string): Promise<void>
  clear(transaction: Transaction, name: string): Promise<void>
  /** Removes for good a part of what is kept; returns whether there may be more. */
  remove(transaction: Transaction, name: string): Promise<boolean>
}
