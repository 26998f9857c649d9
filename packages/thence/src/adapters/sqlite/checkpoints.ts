/**
 * Checkpoints in SQLite; see ports/checkpoints.ts.
 */
import type { Checkpoint, Checkpoints, Seen } from '../../ports/checkpoints.ts'
import type { Scope } from './scope.ts'

const columns = 'subscription, position, generation, rebuild_to, rebuild_asked, time'
const selectOne = `SELECT ${columns} FROM thence_checkpoints WHERE subscription = ?`
const selectAll = `SELECT ${columns} FROM thence_checkpoints ORDER BY subscription`
// A rebuild is over when the checkpoint has reached its end.
const advance =
  'UPDATE thence_checkpoints SET position = ?, time = ?, ' +
  'rebuild_to = CASE WHEN ? >= rebuild_to THEN 0 ELSE rebuild_to END ' +
  'WHERE subscription = ? AND position = ? AND generation = ?'
const create =
  'INSERT INTO thence_checkpoints (subscription, position, generation, rebuild_to, rebuild_asked, time) ' +
  'VALUES (?, ?, 0, 0, 0, ?) ON CONFLICT (subscription) DO NOTHING'
const begin =
  'INSERT INTO thence_checkpoints (subscription, position, generation, rebuild_to, rebuild_asked, time) ' +
  'VALUES (?, 0, 1, ?, 0, ?) ON CONFLICT (subscription) DO UPDATE SET position = 0, ' +
  'generation = generation + 1, rebuild_to = excluded.rebuild_to, rebuild_asked = 0, time = excluded.time ' +
  `RETURNING ${columns}`
const mark = 'UPDATE thence_checkpoints SET rebuild_asked = 1 WHERE subscription = ?'

type Row = readonly [string, number, number, number, number, number]

const decode = (row: Row): Checkpoint => ({
  subscription: row[0],
  position: row[1],
  generation: row[2],
  rebuildTo: row[3],
  rebuildAsked: row[4] === 1,
  time: row[5],
})

export class SqliteCheckpoints implements Checkpoints {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  load(subscription: string): Checkpoint | undefined {
    const row = this.#scope.use().get<Row>(selectOne, subscription)
    return row && decode(row)
  }

  move(subscription: string, seen: Seen, position: number): boolean {
    const connection = this.#scope.change()
    const now = this.#scope.runtime.now()
    const moved = [position, now, position, subscription, seen.position, seen.generation]
    if (connection.run(advance, ...moved) === 1) return true
    if (seen.position !== 0 || seen.generation !== 0) return false
    return connection.run(create, subscription, position, now) === 1
  }

  restart(subscription: string, rebuildTo: number): Checkpoint {
    const now = this.#scope.runtime.now()
    return decode(this.#scope.change().get<Row>(begin, subscription, rebuildTo, now)!)
  }

  ask(subscription: string): boolean {
    return this.#scope.change().run(mark, subscription) === 1
  }

  list(): readonly Checkpoint[] {
    return this.#scope.use().all<Row>(selectAll).map(decode)
  }
}
