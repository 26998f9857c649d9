/**
 * Checkpoints in SQLite; see ports/checkpoints.ts.
 */
import type { Checkpoint, Checkpoints, Hold, Seen } from '../../ports/checkpoints.ts'
import { shareAnew } from './retries.ts'
import type { Scope } from './scope.ts'

const columns =
  'subscription, partition, position, generation, epoch, rebuild_to, rebuild_asked, time'
const selectOne = `SELECT ${columns} FROM thence_checkpoints WHERE subscription = ? AND partition = ?`
const selectAll = `SELECT ${columns} FROM thence_checkpoints ORDER BY subscription, partition`
const selectOwn = `SELECT ${columns} FROM thence_checkpoints WHERE subscription = ? ORDER BY partition`
// A rebuild is over when the checkpoint has reached its end.
const advance =
  'UPDATE thence_checkpoints SET position = ?, time = ?, ' +
  'rebuild_to = CASE WHEN ? >= rebuild_to THEN 0 ELSE rebuild_to END ' +
  'WHERE subscription = ? AND partition = ? AND position = ? AND generation = ? AND epoch = ?'
const create =
  `INSERT INTO thence_checkpoints (${columns}) VALUES (?, ?, ?, 0, 0, 0, 0, ?) ` +
  'ON CONFLICT (subscription, partition) DO NOTHING'
const claim =
  `INSERT INTO thence_checkpoints (${columns}) VALUES (?, ?, 0, 0, ?, 0, 0, 0) ` +
  'ON CONFLICT (subscription, partition) DO UPDATE SET epoch = excluded.epoch ' +
  `RETURNING ${columns}`
const begin =
  `INSERT INTO thence_checkpoints (${columns}) VALUES (?, 0, 0, 1, 0, ?, 0, ?) ` +
  'ON CONFLICT (subscription, partition) DO UPDATE SET position = 0, ' +
  'generation = generation + 1, rebuild_to = excluded.rebuild_to, rebuild_asked = 0, time = excluded.time ' +
  `RETURNING ${columns}`
const newest = 'SELECT coalesce(max(generation), 0) FROM thence_checkpoints WHERE subscription = ?'
const removeAll = 'DELETE FROM thence_checkpoints WHERE subscription = ?'
const place = `INSERT INTO thence_checkpoints (${columns}) VALUES (?, ?, ?, ?, 0, 0, 0, ?)`
const mark =
  'UPDATE thence_checkpoints SET rebuild_asked = 1 WHERE subscription = ? AND partition = 0'

type Row = readonly [string, number, number, number, number, number, number, number]

const decode = (row: Row): Checkpoint => ({
  subscription: row[0],
  partition: row[1],
  position: row[2],
  generation: row[3],
  epoch: row[4],
  rebuildTo: row[5],
  rebuildAsked: row[6] === 1,
  time: row[7],
})

export class SqliteCheckpoints implements Checkpoints {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  load(subscription: string, partition = 0): Checkpoint | undefined {
    const row = this.#scope.use().get<Row>(selectOne, subscription, partition)
    return row && decode(row)
  }

  move(subscription: string, seen: Seen, position: number): boolean {
    const connection = this.#scope.change()
    const now = this.#scope.runtime.now()
    const { partition = 0, generation, epoch = 0 } = seen
    const from = [subscription, partition, seen.position, generation, epoch]
    if (connection.run(advance, position, now, position, ...from) === 1) return true
    if (seen.position !== 0 || generation !== 0 || epoch !== 0) return false
    return connection.run(create, subscription, partition, position, now) === 1
  }

  claim(subscription: string, { partition, epoch }: Hold): Checkpoint {
    return decode(this.#scope.change().get<Row>(claim, subscription, partition, epoch)!)
  }

  holds(subscription: string, { partition, epoch }: Hold): boolean {
    return (this.load(subscription, partition)?.epoch ?? 0) === epoch
  }

  restart(subscription: string, rebuildTo: number): Checkpoint {
    const now = this.#scope.runtime.now()
    return decode(this.#scope.change().get<Row>(begin, subscription, rebuildTo, now)!)
  }

  divide(subscription: string, positions: readonly number[]): void {
    const connection = this.#scope.change()
    const generation = connection.get<[number]>(newest, subscription)![0] + 1
    connection.run(removeAll, subscription)
    const now = this.#scope.runtime.now()
    for (const [partition, position] of positions.entries())
      connection.run(place, subscription, partition, position, generation, now)
    shareAnew(connection, subscription, positions.length)
  }

  ask(subscription: string): boolean {
    return this.#scope.change().run(mark, subscription) === 1
  }

  list(subscription?: string): readonly Checkpoint[] {
    const connection = this.#scope.use()
    const rows =
      subscription === undefined
        ? connection.all<Row>(selectAll)
        : connection.all<Row>(selectOwn, subscription)
    return rows.map(decode)
  }
}
