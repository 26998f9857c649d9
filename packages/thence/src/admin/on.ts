/**
 * What every function of this room is given, and the errors that name what is near to a name that does not exist.
 */
import { systemRuntime } from '../app/system-runtime.ts'
import { ThenceError } from '../errors.ts'
import type { Database } from '../ports/database.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Act } from '../store/audit.ts'
import { recordAct } from '../store/audit.ts'

/** The store to look at or to act on; it must be open. `app.database` is one. */
export interface On {
  readonly database: Database
  /** Whose clock is asked, and who gives ids; default: the system. */
  readonly runtime?: Pick<Runtime, 'now'> & Partial<Pick<Runtime, 'id'>>
  /** Who acts, for the audit log; default `api`. */
  readonly actor?: string
}

const system = systemRuntime()

export const runtimeOf = ({ runtime = system }: On): Pick<Runtime, 'now' | 'id'> => ({
  now: () => runtime.now(),
  id: () => (runtime.id === undefined ? system.id() : runtime.id()),
})

export const nowOf = ({ runtime = system }: On): number => runtime.now()

/** Writes into the audit log what is done in `transaction`. */
export const audited = (on: On, transaction: Transaction, act: Omit<Act, 'actor'>): Promise<void> =>
  recordAct(transaction, runtimeOf(on), { ...act, actor: on.actor })

/** How many letters must change to make one text the other. */
const distance = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same))
    }
    row = next
  }
  return row[right.length]!
}

/** The names that a person may have meant, nearest first; at most three. */
export function near(name: string, names: Iterable<string>): readonly string[] {
  const wanted = name.slice(0, 64).toLowerCase()
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  const scored: { readonly known: string; readonly score: number }[] = []
  for (const known of names) {
    const text = known.slice(0, 64).toLowerCase()
    const related = wanted.length > 2 && (text.includes(wanted) || wanted.includes(text))
    const score = related ? 1 : distance(wanted, text)
    if (score <= limit) scored.push({ known, score })
  }
  return scored
    .sort((left, right) => left.score - right.score)
    .slice(0, 3)
    .map(({ known }) => known)
}

/** NOT_FOUND, with what is near and what to do. */
export function notFound(
  what: string,
  name: string,
  { names = [], advice }: { readonly names?: Iterable<string>; readonly advice: string },
): ThenceError {
  const close = near(name, names)
  const meant = close.length === 0 ? '' : ` Did you mean ${close.join(' or ')}?`
  return new ThenceError(
    'NOT_FOUND',
    `There is no ${what} "${name}" in this store.${meant} ${advice}`,
    { details: { name, near: close } },
  )
}
