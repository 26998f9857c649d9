/**
 * Checkpoints in PostgreSQL; see ports/checkpoints.ts.
 */
import type { Checkpoint, Checkpoints, Hold, Seen } from '../../ports/checkpoints.ts'
import { nowOr } from './clock.ts'
import { shareAnew } from './retries.ts'
import type { Scope } from './scope.ts'

const columns =
  'subscription, partition, position, generation, epoch, rebuild_to, rebuild_asked, time'
const selectOne = `SELECT ${columns} FROM thence.checkpoints WHERE subscription = $1 AND partition = $2`
const selectAll = `SELECT ${columns} FROM thence.checkpoints ORDER BY subscription, partition`
const selectOwn = `SELECT ${columns} FROM thence.checkpoints WHERE subscription = $1 ORDER BY partition`
/** Nobody changes the row until the transaction ends. */
const holdOne =
  'SELECT epoch FROM thence.checkpoints WHERE subscription = $1 AND partition = $2 FOR UPDATE'
// A rebuild is over when the checkpoint has reached its end.
const advance =
  `UPDATE thence.checkpoints SET position = $6, time = ${nowOr('$7')}, ` +
  'rebuild_to = CASE WHEN $6 >= rebuild_to THEN 0 ELSE rebuild_to END ' +
  'WHERE subscription = $1 AND partition = $2 AND position = $3 AND generation = $4 AND epoch = $5'
const create =
  `INSERT INTO thence.checkpoints (${columns}) VALUES ($1, $2, $3, 0, 0, 0, false, ${nowOr('$4')}) ` +
  'ON CONFLICT (subscription, partition) DO NOTHING'
const claim =
  `INSERT INTO thence.checkpoints (${columns}) VALUES ($1, $2, 0, 0, $3, 0, false, 0) ` +
  'ON CONFLICT (subscription, partition) DO UPDATE SET epoch = excluded.epoch ' +
  `RETURNING ${columns}`
const begin =
  `INSERT INTO thence.checkpoints AS own (${columns}) VALUES ($1, 0, 0, 1, 0, $2, false, ${nowOr('$3')}) ` +
  'ON CONFLICT (subscription, partition) DO UPDATE SET position = 0, generation = own.generation + 1, ' +
  'rebuild_to = excluded.rebuild_to, rebuild_asked = false, time = excluded.time ' +
  `RETURNING ${columns}`
const removeAll = 'DELETE FROM thence.checkpoints WHERE subscription = $1 RETURNING generation'
const place =
  `INSERT INTO thence.checkpoints (${columns}) ` +
  `SELECT $1, place - 1, position, $3, 0, 0, false, ${nowOr('$4')} ` +
  'FROM unnest($2::bigint[]) WITH ORDINALITY AS of (position, place)'
const mark =
  'UPDATE thence.checkpoints SET rebuild_asked = true WHERE subscription = $1 AND partition = 0'

type Row = readonly [string, number, number, number, number, number, boolean, number]

const decode = (row: Row): Checkpoint => ({
  subscription: row[0],
  partition: row[1],
  position: row[2],
  generation: row[3],
  epoch: row[4],
  rebuildTo: row[5],
  rebuildAsked: row[6],
  time: row[7],
})

export class PostgresCheckpoints implements Checkpoints {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async load(subscription: string, partition = 0): Promise<Checkpoint | undefined> {
    const row = await this.#scope.use().get<Row>(selectOne, subscription, partition)
    return row && decode(row)
  }

  async move(subscription: string, seen: Seen, position: number): Promise<boolean> {
    const connection = this.#scope.change()
    const now = this.#scope.time
    const { partition = 0, generation, epoch = 0 } = seen
    const from = [subscription, partition, seen.position, generation, epoch]
    if ((await connection.run(advance, ...from, position, now)) === 1) return true
    if (seen.position !== 0 || generation !== 0 || epoch !== 0) return false
    return (await connection.run(create, subscription, partition, position, now)) === 1
  }

  async claim(subscription: string, { partition, epoch }: Hold): Promise<Checkpoint> {
    return decode((await this.#scope.change().get<Row>(claim, subscription, partition, epoch))!)
  }

  async holds(subscription: string, { partition, epoch }: Hold): Promise<boolean> {
    const connection = this.#scope.use()
    const held = this.#scope.writes
      ? (await connection.get<[number]>(holdOne, subscription, partition))?.[0]
      : (await this.load(subscription, partition))?.epoch
    return (held ?? 0) === epoch
  }

  async restart(subscription: string, rebuildTo: number): Promise<Checkpoint> {
    const connection = this.#scope.change()
    return decode((await connection.get<Row>(begin, subscription, rebuildTo, this.#scope.time))!)
  }

  async divide(subscription: string, positions: readonly number[]): Promise<void> {
    const connection = this.#scope.change()
    const rows = await connection.all<[number]>(removeAll, subscription)
    const generation = Math.max(0, ...rows.map(([one]) => one)) + 1
    await connection.run(place, subscription, positions, generation, this.#scope.time)
    await shareAnew(connection, subscription, positions.length)
  }

  async ask(subscription: string): Promise<boolean> {
    return (await this.#scope.change().run(mark, subscription)) === 1
  }

  async list(subscription?: string): Promise<readonly Checkpoint[]> {
    const connection = this.#scope.use()
    const rows =
      subscription === undefined
        ? await connection.all<Row>(selectAll)
        : await connection.all<Row>(selectOwn, subscription)
    return rows.map(decode)
  }
}
