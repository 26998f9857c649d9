/**
 * What every function of this room is given, and the errors that name what is near to a name that does not exist.
 */
import { systemRuntime } from '../app/system-runtime.ts'
import { ThenceError } from '../errors.ts'
import { meant, near } from '../internal/near.ts'
import { expectOptions } from '../message/expect.ts'
import type { Database } from '../ports/database.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Act } from '../store/audit.ts'
import { recordAct } from '../store/audit.ts'

/** The store to look at or to act on; it must be open. `app.database` is one. */
export interface On {
  readonly database: Database
  /** Whose clock is asked, and who gives ids; default: the system. */
  readonly runtime?: Pick<Runtime, 'now'> & Partial<Pick<Runtime, 'id' | 'soon'>>
  /** Who acts, for the audit log; default `api`. */
  readonly actor?: string
}

const system = systemRuntime()

export const runtimeOf = ({ runtime = system }: On): Pick<Runtime, 'now' | 'id' | 'soon'> => ({
  now: () => runtime.now(),
  soon: (callback) => (runtime.soon === undefined ? system.soon(callback) : runtime.soon(callback)),
  id: () => (runtime.id === undefined ? system.id() : runtime.id()),
})

export const nowOf = ({ runtime = system }: On): number => runtime.now()

/** Writes into the audit log what is done in `transaction`. */
export const audited = (on: On, transaction: Transaction, act: Omit<Act, 'actor'>): Promise<void> =>
  recordAct(transaction, runtimeOf(on), { ...act, actor: on.actor })

/** @throws CONFIG_INVALID if an act is told anything but why. */
export const expectReason = (what: string, options: object): void =>
  expectOptions(what, options, { reason: true })

/** NOT_FOUND, with what is near and what to do. */
export function notFound(
  what: string,
  name: string,
  { names = [], advice }: { readonly names?: Iterable<string>; readonly advice: string },
): ThenceError {
  const known = [...names]
  return new ThenceError(
    'NOT_FOUND',
    `There is no ${what} "${name}" in this store.${meant(name, known)} ${advice}`,
    { details: { name, near: near(name, known) } },
  )
}
