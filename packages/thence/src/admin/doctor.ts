/**
 * The health of a store, as its adapter finds it, and whether anything of it wants an operator.
 */
import { isThenceError, ThenceError } from '../errors.ts'
import type { Database } from '../ports/database.ts'
import type { Finding } from '../ports/diagnosis.ts'
import type { On } from './on.ts'

export interface Diagnosis {
  readonly findings: readonly Finding[]
  /** Of `findings` those that are warnings or errors. */
  readonly attention: number
}

/** A store that is being filled from another is as it should be, and no app may run on it. */
const copied = async (database: Database): Promise<readonly Finding[]> => {
  try {
    await database.identity()
    return []
  } catch (error) {
    // What else there is to say of it the adapter has found.
    if (!isThenceError(error, 'STORE_INCOMPLETE')) return []
    const text = 'the store is being filled from another and is not whole: no app starts on it'
    const advice = 'Run `thence store copy` again to its end: it goes on where it was.'
    return [{ check: 'copy', state: 'error', text, advice }]
  }
}

/** Looks only. @throws CAPABILITY_MISSING where the adapter has nothing to look at. */
export async function diagnosis({ database }: Pick<On, 'database'>): Promise<Diagnosis> {
  if (database.diagnose === undefined)
    throw new ThenceError('CAPABILITY_MISSING', `A store in ${database.name} has no doctor.`)
  const findings = [...(await database.diagnose()), ...(await copied(database))]
  const attention = findings.filter(({ state }) => state === 'warning' || state === 'error').length
  return { findings, attention }
}
