/**
 * The health of a store in PostgreSQL; see ports/diagnosis.ts.
 */
import type { Finding } from '../../ports/diagnosis.ts'
import { activityChecks } from './checks/activity.ts'
import type { Check } from './checks/check.ts'
import { orderChecks } from './checks/order.ts'
import { schemaChecks } from './checks/schema.ts'
import { serverChecks } from './checks/server.ts'
import { tableChecks } from './checks/tables.ts'
import { viewsChecks } from './checks/views.ts'
import type { Runner } from './runner.ts'
import type { Session } from './scope.ts'

const checks: readonly Check[] = [
  ...schemaChecks,
  ...tableChecks,
  ...viewsChecks,
  ...serverChecks,
  ...orderChecks,
  ...activityChecks,
]

/** One after the other, so that looking takes one connection. */
export async function diagnose(runner: Runner, { runtime }: Session): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const { name, look } of checks) {
    try {
      const findings = await runner.read((scope) => look({ connection: scope.use(), runtime }))
      found.push(...findings)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      found.push({ check: name, state: 'notice', text: `could not be looked at: ${why}` })
    }
  }
  return found
}
