// Batches are judged as sets, unless something stands against one of their requests or one depends on another. Whatever the way,
// the verdicts are those of the memory adapter, which takes one request after the other.
import * as fc from 'fast-check'
import type { Database } from 'thence'
import { memory } from 'thence/memory'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import type { AppendRequest, StoredMessage } from '../../src/ports/events.ts'
import { compact, name, optional, small } from '../conformance/operation.ts'
import { comparable } from '../conformance/operations.ts'
import { postgresPlace } from '../kit/postgres.ts'

const texts = ['"plain"', '{"quoted":"\\"a\\\\b\\u0001"}', '[1,\n\t2]', '"NULL"', '"{a,b}"']
const tags = ['t1', 't2', 'a "tag", {quoted}\\', 'NULL']
const types = ['Placed', 'Paid']

/** Drawn so that requests of a batch repeat, contradict and refuse one another. */
const newMessage = fc
  .record({ id: fc.integer({ min: 1, max: 40 }), changed: fc.integer({ min: 0, max: 12 }) })
  .map(({ id, changed }) =>
    message(`m${id}`, {
      type: types[id % 2] ?? '',
      tags: id % 5 === 0 ? [] : tags.filter((_, index) => (id >> index) % 2 === 1),
      data: texts[changed === 0 ? 0 : id % texts.length] ?? '',
      correlationId: id % 4 === 0 ? 'NULL' : null,
      metadata: id % 3 === 0 ? '{"by":"a\\nb"}' : null,
    }),
  )

const query = fc.array(
  fc
    .record({ types: optional(fc.subarray(types)), tags: optional(fc.subarray(tags)) })
    .map(compact),
  { maxLength: 2 },
)

const expected = optional(fc.oneof(small, fc.constantFrom('none' as const, 'exists' as const)))

/** What is appended by a function of its own. */
const lone: fc.Arbitrary<AppendRequest> = fc
  .record({ stream: name, message: newMessage, expected })
  .map(({ stream, message: one, ...rest }) => ({ stream, messages: [one], ...compact(rest) }))

const request: fc.Arbitrary<AppendRequest> = fc
  .record({
    stream: name,
    messages: fc.array(newMessage, { maxLength: 3 }),
    expected,
    condition: fc.option(fc.record({ query, after: fc.integer({ min: 0, max: 30 }) }), {
      nil: undefined,
      freq: 2,
    }),
    once: fc.option(fc.record({ consumer: fc.constant('c'), id: name }), {
      nil: undefined,
      freq: 2,
    }),
  })
  .map(({ stream, messages, once, ...rest }) => ({
    stream,
    messages,
    ...compact(rest),
    ...compact({ once: once ?? (messages.length === 0 ? { consumer: 'c', id: 'x' } : undefined) }),
  }))

/** Fresh ids and no expectations that could fail: the batches of every day. */
const quiet = fc.array(fc.record({ stream: name, many: fc.integer({ min: 1, max: 3 }) }), {
  minLength: 1,
  maxLength: 12,
})

type Step =
  | { readonly batch: readonly AppendRequest[] }
  | { readonly quiet: readonly { readonly stream: string; readonly many: number }[] }
  | { readonly end: string }
  | { readonly trim: string; readonly through: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ batch: fc.array(request, { minLength: 1, maxLength: 16 }) }),
    },
    { weight: 6, arbitrary: fc.record({ batch: fc.tuple(lone) }) },
    { weight: 2, arbitrary: fc.record({ quiet }) },
    { weight: 1, arbitrary: fc.record({ end: fc.constantFrom('a', 'b') }) },
    { weight: 1, arbitrary: fc.record({ trim: name, through: small }) },
  ),
  { minLength: 1, maxLength: 8 },
)

/** The names and positions of one program, so that many can run on one store. */
class Own {
  readonly #prefix: string
  readonly base: number
  #fresh = 0

  constructor(program: number, base: number) {
    this.#prefix = `${program}:`
    this.base = base
  }

  name(text: string): string {
    return `${this.#prefix}${text}`
  }

  request({ stream, messages, condition, once, ...rest }: AppendRequest): AppendRequest {
    return {
      ...rest,
      stream: this.name(stream),
      messages: messages.map((one) => ({
        ...one,
        id: this.name(one.id),
        type: this.name(one.type),
        tags: one.tags.map((tag) => this.name(tag)),
      })),
      ...(condition && {
        condition: {
          after: condition.after + this.base,
          query: condition.query.map((item) =>
            compact({
              types: item.types?.map((type) => this.name(type)),
              tags: item.tags?.map((tag) => this.name(tag)),
            }),
          ),
        },
      }),
      ...(once && { once: { ...once, id: this.name(once.id) } }),
    }
  }

  quiet(stream: string, many: number): AppendRequest {
    const fresh = Array.from({ length: many }, () => message(this.name(`f${(this.#fresh += 1)}`)))
    return { stream: this.name(stream), messages: fresh }
  }

  /** Positions as if the program had a log of its own. */
  moved<T>(one: T): T {
    if (typeof one !== 'object' || one === null || !('position' in one)) return one
    return { ...one, position: Number(one.position) - this.base }
  }
}

const act = async (database: Database, own: Own, step: Step): Promise<unknown> => {
  if ('end' in step) return database.transact(({ events }) => events.tombstone(own.name(step.end)))
  if ('trim' in step)
    return database.transact(({ events }) =>
      events.trim(own.name(step.trim), { through: step.through, limit: 10 }),
    )
  const batch =
    'batch' in step
      ? step.batch.map((one) => own.request(one))
      : step.quiet.map(({ stream, many }) => own.quiet(stream, many))
  return (await database.append(batch)).map((one) => comparable(own.moved(one)))
}

const run = async (database: Database, own: Own, program: readonly Step[]): Promise<unknown> => {
  const results: unknown[] = []
  for (const step of program) results.push(await act(database, own, step))
  const { messages } = await database.read(({ events }) =>
    events.readAll({ after: own.base, limit: 10_000 }),
  )
  const stored: readonly StoredMessage[] = messages.map((one) => own.moved(one))
  const head = await database.read(({ events }) => events.head())
  return { results, stored, head: head - own.base }
}

const openOn = async (database: Database): Promise<Database> => {
  await database.open(virtualRuntime())
  await database.migrate()
  return database
}

it('batches have the verdicts of one request after the other', { timeout: 60_000 }, async () => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const database = await openOn(place.connect())
  onTestFinished(() => database.close())
  let program = 0
  const property = fc.asyncProperty(steps, async (one) => {
    program += 1
    const base = await database.read(({ events }) => events.head())
    const expected = await run(await openOn(memory()), new Own(program, 0), one)
    expect(await run(database, new Own(program, base), one)).toEqual(expected)
  })
  await fc.assert(property, { numRuns: Number(process.env['THENCE_MODEL_RUNS'] ?? 120) })
})
