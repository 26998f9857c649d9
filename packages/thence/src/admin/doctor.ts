/**
 * The health of a store, as its adapter finds it, and whether anything of it wants an operator.
 */
import { ThenceError } from '../errors.ts'
import type { Finding } from '../ports/diagnosis.ts'
import type { On } from './on.ts'

export interface Diagnosis {
  readonly findings: readonly Finding[]
  /** Of `findings` those that are warnings or errors. */
  readonly attention: number
}

/** Looks only. @throws CAPABILITY_MISSING where the adapter has nothing to look at. */
export async function diagnosis({ database }: Pick<On, 'database'>): Promise<Diagnosis> {
  if (database.diagnose === undefined)
    throw new ThenceError('CAPABILITY_MISSING', `A store in ${database.name} has no doctor.`)
  const findings = await database.diagnose()
  const attention = findings.filter(({ state }) => state === 'warning' || state === 'error').length
  return { findings, attention }
}
