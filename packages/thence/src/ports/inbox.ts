/**
 * What a consumer has already done, by message id, written in the transaction of the effect: a second delivery of the
 * same id changes nothing and gives the first outcome back.
 */
import type { Awaitable } from './awaitable.ts'
import type { Appended } from './events.ts'

/**
 * - `remember` returns false, and changes nothing, if the row is there already.
 * - `forget` removes rows of the consumer whose outcome's position is at most `through`; it returns how many.
 */
export interface Inbox {
  remember(consumer: string, id: string, outcome: Appended): Awaitable<boolean>
  recall(consumer: string, id: string): Awaitable<Appended | undefined>
  forget(consumer: string, through: number): Awaitable<number>
}
