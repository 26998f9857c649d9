/**
 * Appends: a batch is judged and written by one call of one function of the database (migrations/0002-append.ts), alone or inside
 * an open transaction. What a refused request has in common with what is stored is compared here, by message/same.ts.
 */
import { isSameMessage } from '../../message/same.ts'
import type { Appended, AppendRequest, Verdict } from '../../ports/events.ts'
import { columnsOf, singleOf, typeOf } from './columns.ts'
import type { PostgresValue } from './driver.ts'
import { isOvertaken, isUnknown, storeError, unknownOutcome } from './errors.ts'
import { partsOf } from './parts.ts'
import type { Runner } from './runner.ts'
import type { Scope, Session } from './scope.ts'

/** Every parameter has its type, and every answer is a number or a text: not every library reads arrays and JSON as `pg` does. */
const answer =
  'SELECT given, versions::text, outcomes::text, numbers::text, known::text, recalled::text FROM'

/** One call for each set of columns: those that are empty are left out. */
const callWith = (name: string, names: readonly string[]): string => {
  const columns = names.map((column, index) => `${column} => $${index + 3}::${typeOf(column)}`)
  return `${answer} thence.${name}($1::bigint, $2::text, ${columns.join(', ')})`
}
const callOfOne =
  `${answer} thence.append_one($1::text, $2::text, $3::bigint, $4::text, $5::text, $6::integer, $7::text, $8::bigint, ` +
  '$9::text, $10::text, $11::text, $12::text, $13::text, $14::text[])'
const callOfParts = (name: string): string =>
  `${answer} thence.${name}_parts($3::jsonb, $1::bigint, $2::text)`

/** A message that is stored under an id of the request. */
interface Known {
  readonly id: string
  readonly stream: string
  readonly version: number
  readonly position: number
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
}

/** What the function says of a request that wrote nothing: `refusal` is null if only its ids stand against it. */
interface Refused {
  readonly refusal: Verdict | null
  readonly known: readonly Known[]
}

/** What it says of a part: where the log and the streams ended before it; without `outcomes` all was appended. */
type Answer = readonly [
  given: number,
  versions: string,
  outcomes: string | null,
  numbers: string | null,
  known: string | null,
  recalled: string | null,
]

const listOf = (text: string | null): readonly number[] =>
  text === null ? [] : text.slice(1, -1).split(',').map(Number)

const refusalOf = (outcome: number, number: number): Verdict | null => {
  if (outcome === 2) return { outcome: 'tombstoned' }
  if (outcome === 3) return { outcome: 'conflict', actual: number }
  return outcome === 4 ? { outcome: 'condition-failed', position: number } : null
}

const decode = (requests: readonly AppendRequest[], answer: Answer): readonly Verdict[] => {
  const [versions, outcomes, numbers] = [listOf(answer[1]), listOf(answer[2]), listOf(answer[3])]
  const known = JSON.parse(answer[4] ?? '[]') as readonly Known[]
  const recalled = JSON.parse(answer[5] ?? '{}') as Readonly<Record<number, Appended>>
  const reached = new Map<string, number>()
  let position = answer[0]
  return requests.map((request, index): Verdict => {
    const { stream, messages } = request
    const { length: count } = messages
    const before = reached.get(stream) ?? versions[reached.size] ?? 0
    const outcome = outcomes[index] ?? 0
    reached.set(stream, outcome === 0 ? before + count : before)
    if (outcome === 1) return { outcome: 'duplicate', ...recalled[index + 1]! }
    if (outcome > 0) {
      const ids = new Set(messages.map(({ id }) => id))
      const own = known.filter(({ id }) => ids.has(id))
      return judge(request, { refusal: refusalOf(outcome, numbers[index] ?? 0), known: own })
    }
    position += count
    return { outcome: 'appended', stream, version: before + count, position, count }
  })
}

/** What stands against the request: it is there already, it was refused, or its ids are taken. */
const judge = (request: AppendRequest, { refusal, known }: Refused): Verdict => {
  const { stream, messages } = request
  const rows = new Map(known.map((row) => [row.id, row]))
  const isSame = (message: AppendRequest['messages'][number]): boolean => {
    const row = rows.get(message.id)
    return row?.stream === stream && isSameMessage(message, row)
  }
  if (messages.length > 0 && messages.every(isSame)) {
    const last = known.reduce((left, right) => (right.position > left.position ? right : left))
    const { version, position } = last
    return { outcome: 'duplicate', stream, version, position, count: messages.length }
  }
  if (refusal !== null) return refusal
  const ids = new Set<string>()
  const taken = messages.find((message) => {
    const repeated = ids.has(message.id)
    ids.add(message.id)
    return repeated || (rows.has(message.id) && !isSame(message))
  })
  const id = taken?.id ?? known[0]?.id ?? ''
  return { outcome: 'id-reused', id }
}

/** A batch as what is asked of the database, and how its answer is read. */
interface Asked {
  readonly text: string
  readonly values: PostgresValue[]
  readonly verdicts: (rows: readonly unknown[]) => readonly Verdict[]
}

interface Way {
  /** Of the function. */
  readonly name: string
  readonly time: Scope['time']
  /** Null: that of the transaction. */
  readonly lockTimeout: string | null
}

const asked = (requests: readonly AppendRequest[], { name, time, lockTimeout }: Way): Asked => {
  const single = name === 'append' ? singleOf(requests) : undefined
  if (single !== undefined)
    return {
      text: callOfOne,
      values: [lockTimeout, ...single],
      verdicts: (rows) => decode(requests, rows[0] as Answer),
    }
  const parts = partsOf(requests)
  const columns = parts.map(columnsOf)
  const [first = {}] = columns
  const isWhole = columns.length === 1
  return {
    text: isWhole ? callWith(name, Object.keys(first)) : callOfParts(name),
    values: [time, lockTimeout, ...(isWhole ? Object.values(first) : [JSON.stringify(columns)])],
    verdicts: (rows) => parts.flatMap((part, index) => decode(part, rows[index] as Answer)),
  }
}

/** Inside an open transaction. */
export async function appendIn(
  scope: Scope,
  requests: readonly AppendRequest[],
): Promise<readonly Verdict[]> {
  const way = { name: scope.appending, time: scope.time, lockTimeout: null }
  const { text, values, verdicts } = asked(requests, way)
  return verdicts(await scope.change().all(text, ...values))
}

export interface Appending {
  readonly runner: Runner
  readonly session: Session
}

/**
 * One call and one commit for the whole batch.
 * @throws OUTCOME_UNKNOWN if the connection was lost before the answer came.
 */
export async function appendBatch(
  { runner, session }: Appending,
  requests: readonly AppendRequest[],
): Promise<readonly Verdict[]> {
  const time = session.clock === 'runtime' ? session.runtime.now() : null
  const way = { name: session.ordering.appending, time, lockTimeout: runner.lockTimeout }
  const { text, values, verdicts } = asked(requests, way)
  for (let attempt = 1; ; attempt += 1) {
    const connection = await runner.connect()
    try {
      const { rows } = await connection.ask(text, values)
      connection.release()
      return verdicts(rows)
    } catch (error) {
      const unknown = isUnknown(error)
      connection.release(unknown)
      if (isOvertaken(error) && attempt < mostAttempts) continue
      throw unknown ? unknownOutcome(error) : storeError(error)
    }
  }
}

/** Of a batch that waits for what a transaction holds that waits for the batch, or that has committed an id of it meanwhile. */
const mostAttempts = 3
