/**
 * The inbox in SQLite; see ports/inbox.ts. Appends with `once` use the same two statements.
 */
import type { Appended, Once } from '../../ports/events.ts'
import type { Inbox } from '../../ports/inbox.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const selectOne =
  'SELECT stream, version, position, count FROM thence_inbox WHERE consumer = ? AND id = ?'
const insert =
  'INSERT INTO thence_inbox (consumer, id, stream, version, position, count) VALUES (?, ?, ?, ?, ?, ?) ' +
  'ON CONFLICT (consumer, id) DO NOTHING'
const removeThrough = 'DELETE FROM thence_inbox WHERE consumer = ? AND position <= ?'

/** The outcome of what `consumer` did with message `id`, if it did. */
export function recall(connection: Connection, consumer: string, id: string): Appended | undefined {
  const row = connection.get<[string, number, number, number]>(selectOne, consumer, id)
  return row && { stream: row[0], version: row[1], position: row[2], count: row[3] }
}

/** Returns false if there was a row already. */
export function remember(connection: Connection, once: Once, outcome: Appended): boolean {
  const { stream, version, position, count } = outcome
  return connection.run(insert, once.consumer, once.id, stream, version, position, count) === 1
}

export class SqliteInbox implements Inbox {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  remember(consumer: string, id: string, outcome: Appended): boolean {
    return remember(this.#scope.change(), { consumer, id }, outcome)
  }

  recall(consumer: string, id: string): Appended | undefined {
    return recall(this.#scope.use(), consumer, id)
  }

  forget(consumer: string, through: number): number {
    return this.#scope.change().run(removeThrough, consumer, through)
  }
}
