/**
 * Compares an adapter with the memory adapter: the same random program runs on both, and every result must be the
 * same. Where the adapter can, the program's steps go through two Database objects on one store in turn.
 */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { memory } from '../../src/adapters/memory/index.ts'
import { type Make, makeFrom, type Subject } from '../../src/conformance/index.ts'
import type { Database, Transaction } from '../../src/ports/database.ts'
import type { Operation } from './operation.ts'
import { comparable, mixes, request } from './operations.ts'

/** What happens outside of a transaction, on the database number `through`. */
interface Step {
  readonly through: number
  run(database: Database, subject: Subject): Promise<unknown>
}

class Rollback extends Error {}

/** Runs the operations one after the other and gives their results; then fails, if it should. */
async function runAll(
  transaction: Transaction,
  operations: readonly Operation[],
  fails: boolean,
): Promise<unknown> {
  const results: unknown[] = []
  for (const one of operations) results.push(await one.run(transaction))
  // Carried by the error, so that what was seen before a rollback is compared too.
  if (fails) throw new Rollback(undefined, { cause: results })
  return results
}

const caught = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Rollback) return { rolledBack: error.cause }
    throw error
  }
}

const inSavepoint = (inner: fc.Arbitrary<Operation>): fc.Arbitrary<Operation> =>
  fc
    .record({ operations: fc.array(inner, { maxLength: 5 }), fails: fc.boolean() })
    .map((input) => ({
      run: (transaction) =>
        caught(() =>
          transaction.savepoint(() => runAll(transaction, input.operations, input.fails)),
        ),
      [fc.toStringMethod]: () => `savepoint(${fc.stringify(input)})`,
    }))

/** Operations, some of them in savepoints, some of those in one another. */
function withSavepoints(operation: fc.Arbitrary<Operation>): fc.Arbitrary<Operation> {
  const once = fc.oneof({ weight: 6, arbitrary: operation }, inSavepoint(operation))
  return fc.oneof({ weight: 6, arbitrary: operation }, inSavepoint(once))
}

const through = fc.integer({ min: 0, max: 1 })

const appending: fc.Arbitrary<Step> = fc
  .record({ through, requests: fc.array(request, { maxLength: 4 }) })
  .map((input) => ({
    through: input.through,
    run: async (database) => (await database.append(input.requests)).map(comparable),
    [fc.toStringMethod]: () => `append(${fc.stringify(input)})`,
  }))

const transacting = (operation: fc.Arbitrary<Operation>): fc.Arbitrary<Step> =>
  fc
    .record({
      through,
      operations: fc.array(withSavepoints(operation), { maxLength: 8 }),
      fails: fc.integer({ min: 0, max: 3 }).map((one) => one === 0),
      pause: fc.integer({ min: 0, max: 100 }),
    })
    .map((input) => ({
      through: input.through,
      run: async (database, { runtime }) => {
        runtime.advance(input.pause)
        return caught(() =>
          database.transact((transaction) => runAll(transaction, input.operations, input.fails)),
        )
      },
      [fc.toStringMethod]: () => `transact(${fc.stringify(input)})`,
    }))

const looking: fc.Arbitrary<Step> = through.map((number) => ({
  through: number,
  run: async (database) => database.read(look),
  [fc.toStringMethod]: () => `look(${number})`,
}))

const programs: readonly fc.Arbitrary<Step[]>[] = mixes.map((operation) =>
  fc.array(
    fc.oneof(
      { weight: 2, arbitrary: appending },
      { weight: 4, arbitrary: transacting(operation) },
      { weight: 1, arbitrary: looking },
    ),
    { minLength: 1, maxLength: 14 },
  ),
)

async function look(transaction: Transaction): Promise<unknown> {
  const { events, checkpoints, retries, deadLetters, timers, documents, audit, jobs } = transaction
  const limit = 1000
  const collections: unknown[] = []
  for (const name of ['a', 'A']) collections.push(await documents.list(name, { limit }))
  const { categories, tables } = await transaction.sizes.read(limit)
  return {
    sizes: [categories, tables, await events.truncated()],
    log: await events.readAll({ limit }),
    backwards: (await events.readAll({ limit, backwards: true })).messages,
    streams: await events.streams({ limit }),
    checkpoints: await checkpoints.list(),
    due: await retries.take('p', { now: Number.MAX_SAFE_INTEGER, limit }),
    retries: new Set(await retries.summary()),
    letters: await deadLetters.list({ limit }),
    timers: await timers.list({ limit }),
    collections,
    audit: await audit.list({ limit }),
    jobs: await jobs.list({ limit }),
  }
}

/** All that the steps gave, and how everything looks in the end. */
async function trace(make: Make, steps: readonly Step[]): Promise<unknown[]> {
  const subject = await make()
  try {
    const { database } = subject
    const databases = database.capabilities.shared ? [database, await subject.second()] : [database]
    const results: unknown[] = []
    for (const step of steps)
      results.push(await step.run(databases[step.through % databases.length] ?? database, subject))
    for (const one of databases) results.push(await one.read(look))
    return results
  } finally {
    await subject.dispose()
  }
}

const makeModel: Make = makeFrom(() => ({ connect: (options) => memory(options) }))

/** How many programs of each mix. */
const runsOfEach = 70

/** Fails with the shortest program on which `make`'s database and the memory adapter differ. */
export async function compareWithModel(
  make: Make,
  seed: number,
  { shrink = true }: { readonly shrink?: boolean } = {},
): Promise<void> {
  const property = fc.asyncProperty(fc.oneof(...programs), async (steps) => {
    const expected = await trace(makeModel, steps)
    const actual = await trace(make, steps)
    // Two Database objects give one more last look.
    assert.deepEqual(actual.slice(0, expected.length), expected)
    assert.deepEqual(actual.at(-1), expected.at(-1))
  })
  const runs = Number(process.env['THENCE_MODEL_RUNS'] ?? runsOfEach * programs.length)
  await fc.assert(property, {
    seed,
    numRuns: runs,
    endOnFailure: !shrink,
    plugins: [fc.interruptAfterTimeLimit(10_000)],
  })
}
