/**
 * The inbox in SQLite; see ports/inbox.ts. Appends with `once` use the same statements.
 */
import type { Appended, Once } from '../../ports/events.ts'
import type { Inbox, Outcome, Remembered, Remembering } from '../../ports/inbox.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const selectOne =
  'SELECT stream, version, position, count, result, time, digest FROM thence_inbox WHERE consumer = ? AND id = ?'
const insert =
  'INSERT INTO thence_inbox (consumer, id, stream, version, position, count, result, time, digest) ' +
  'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (consumer, id) DO NOTHING'
const update =
  'UPDATE thence_inbox SET stream = ?, version = ?, position = ?, count = ?, result = ? ' +
  'WHERE consumer = ? AND id = ?'
const removeOld =
  'DELETE FROM thence_inbox WHERE (consumer, id) IN ' +
  '(SELECT consumer, id FROM thence_inbox WHERE time < ? ORDER BY time, consumer, id LIMIT ?)'

type Row = readonly [
  stream: string,
  version: number,
  position: number,
  count: number,
  result: string | null,
  time: number,
  digest: string | null,
]

const find = (connection: Connection, { consumer, id }: Once): Row | undefined =>
  connection.get<Row>(selectOne, consumer, id)

const place = ([stream, version, position, count]: Row): Appended => ({
  stream,
  version,
  position,
  count,
})

/** Where the messages are of what was done once, if it was done. */
export function recall(connection: Connection, once: Once): Appended | undefined {
  const row = find(connection, once)
  return row && place(row)
}

/** Returns false if there was a row already. */
export function remember(connection: Connection, { consumer, id }: Once, row: Remembered): boolean {
  const { stream, version, position, count, result = null, time, digest = null } = row
  const place = [consumer, id, stream, version, position, count] as const
  return connection.run(insert, ...place, result, time, digest) === 1
}

export class SqliteInbox implements Inbox {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  remember(consumer: string, id: string, outcome: Remembering): boolean {
    const time = this.#scope.runtime.now()
    return remember(this.#scope.change(), { consumer, id }, { ...outcome, time })
  }

  conclude(consumer: string, id: string, outcome: Outcome): boolean {
    const { stream, version, position, count, result = null } = outcome
    const connection = this.#scope.change()
    return connection.run(update, stream, version, position, count, result, consumer, id) === 1
  }

  recall(consumer: string, id: string): Remembered | undefined {
    const row = find(this.#scope.use(), { consumer, id })
    if (row === undefined) return undefined
    const [, , , , result, time, digest] = row
    return {
      ...place(row),
      ...(result === null ? {} : { result }),
      ...(digest === null ? {} : { digest }),
      time,
    }
  }

  trim(before: number, limit: number): number {
    return this.#scope.change().run(removeOld, before, limit)
  }
}
