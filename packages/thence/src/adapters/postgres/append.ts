/**
 * Appends: a batch is judged and written by one call of one function of the database (migrations/0002-append.ts), alone or inside
 * an open transaction. What a refused request has in common with what is stored is compared here, by message/same.ts.
 */
import { isSameMessage } from '../../message/same.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import { encodeTags } from '../sql/rows.ts'
import type { Connection } from './connection.ts'
import { isDeadlock, isUnknown, storeError, unknownOutcome } from './errors.ts'
import { asQuery } from './query.ts'
import type { Runner } from './runner.ts'
import type { Scope, Session } from './scope.ts'

const call = 'SELECT thence.append($1::jsonb, $2::bigint, $3)::text'

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

const encode = ({ messages, condition, ...request }: AppendRequest): object => ({
  ...request,
  ...(condition && { condition: { query: asQuery(condition.query), after: condition.after } }),
  messages: messages.map((message) => ({ ...message, tags: encodeTags(message.tags) })),
})

const encodeAll = (requests: readonly AppendRequest[]): string =>
  JSON.stringify(requests.map(encode))

const isRefused = (answer: Verdict | Refused): answer is Refused => 'refusal' in answer

const decodeAll = (
  requests: readonly AppendRequest[],
  row: readonly [string] | undefined,
): readonly Verdict[] => {
  const answers = JSON.parse(row?.[0] ?? '[]') as readonly (Verdict | Refused)[]
  return answers.map((answer, index) =>
    isRefused(answer) ? judge(requests[index]!, answer) : answer,
  )
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

/** Inside an open transaction. */
export async function appendIn(
  connection: Connection,
  requests: readonly AppendRequest[],
  time: Scope['time'],
): Promise<readonly Verdict[]> {
  const row = await connection.get<[string]>(call, encodeAll(requests), time, null)
  return decodeAll(requests, row)
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
  const text = encodeAll(requests)
  for (let attempt = 1; ; attempt += 1) {
    const connection = await runner.connect()
    const time = session.clock === 'runtime' ? session.runtime.now() : null
    try {
      const { rows } = await connection.ask(call, [text, time, runner.lockTimeout])
      connection.release()
      return decodeAll(requests, rows[0] as readonly [string] | undefined)
    } catch (error) {
      const unknown = isUnknown(error)
      connection.release(unknown)
      if (isDeadlock(error) && attempt < mostAttempts) continue
      throw unknown ? unknownOutcome(error) : storeError(error)
    }
  }
}

/** Of a batch that waits for what a transaction holds that waits for the batch: the server ends one of both. */
const mostAttempts = 3
