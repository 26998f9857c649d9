/**
 * What a store keeps as it was made, in its table meta: its order and the schema of its views.
 */
import type { Connection } from './connection.ts'
import type { Session } from './scope.ts'

const kept = "SELECT key, value FROM thence.meta WHERE key IN ('order', 'views')"

/** @throws CONFIG_INVALID if the user says something else. */
export async function learn({ ordering, views }: Session, connection: Connection): Promise<void> {
  const known = new Map(await connection.all<[string, string]>(kept))
  views.learn(known.get('views'))
  ordering.learn(known.get('order'))
}
