/** One random operation, and the few names and numbers that operations are drawn from. */
import * as fc from 'fast-check'
import type { Awaitable } from '../../src/ports/awaitable.ts'
import type { Transaction } from '../../src/ports/database.ts'

/** Something to do in a transaction; its result is compared. */
export interface Operation {
  run(transaction: Transaction): Awaitable<unknown>
}

/** An operation that prints itself with its arguments when a run fails. */
export const define = <A>(
  name: string,
  inputs: fc.Arbitrary<A>,
  run: (transaction: Transaction, input: A) => Awaitable<unknown>,
): fc.Arbitrary<Operation> =>
  inputs.map((input) => ({
    run: (transaction) => run(transaction, input),
    [fc.toStringMethod]: () => `${name}(${fc.stringify(input)})`,
  }))

export const small = fc.integer({ min: 0, max: 6 })
export const place = fc.integer({ min: 0, max: 20 })
export const limit = fc.integer({ min: 1, max: 5 })
export const name = fc.constantFrom('a', 'b', 'A', '\uffee', '\u{1f600}')
export const types = ['Placed', 'Paid', 'Shipped']
export const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 })

/** Without the keys whose value is undefined. */
export const compact = <T extends object>(
  value: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never
