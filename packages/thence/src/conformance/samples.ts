/** Small things that the cases are written with: sample messages, short reads, and one way to expect an error. */
import { strict as assert } from 'node:assert'
import { type ErrorCode, isThenceError } from '../errors.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Database, Transaction } from '../ports/database.ts'
import type {
  Appended,
  AppendRequest,
  NewMessage,
  Page,
  ReadAll,
  StoredMessage,
  StreamInfo,
  Trim,
  Verdict,
} from '../ports/events.ts'
import type { ManualRuntime } from './manual-runtime.ts'

/** A message with this id; everything else is plain unless `change` says so. */
export const message = (id: string, change: Partial<NewMessage> = {}): NewMessage => ({
  id,
  kind: 'event',
  type: 'Noted',
  schemaVersion: 1,
  data: '{"note":"plain"}',
  correlationId: null,
  causationId: null,
  metadata: null,
  tags: [],
  time: Date.UTC(2026, 0, 1),
  ...change,
})

/** Plain messages with these ids. */
export const messages = (...ids: readonly string[]): NewMessage[] => ids.map((id) => message(id))

/** The same shape as ids: `numbered('m', 3)` is m1, m2, m3. */
export const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)

/** Appends one request. */
export async function judge(database: Database, request: AppendRequest): Promise<Verdict> {
  const verdicts = await database.append([request])
  assert.equal(verdicts.length, 1, 'one request gets one verdict')
  return verdicts[0] as Verdict
}

/** Appends plain messages, which must succeed. */
export async function given(
  database: Database,
  stream: string,
  given: readonly NewMessage[],
): Promise<Appended> {
  const verdict = await judge(database, { stream, messages: given })
  if (verdict.outcome !== 'appended') assert.fail(`the append was refused: ${verdict.outcome}`)
  return verdict
}

export const outcomes = (verdicts: readonly Verdict[]): string[] =>
  verdicts.map(({ outcome }) => outcome)

export const idsOf = (stored: readonly StoredMessage[]): string[] => stored.map(({ id }) => id)

/** Does something in a transaction of its own. */
export const within = <T>(
  database: Database,
  work: (transaction: Transaction) => Awaitable<T>,
): Promise<T> => database.transact(work)

export const head = (database: Database): Promise<number> =>
  database.read((transaction) => transaction.events.head())

export const readAll = (database: Database, options: Partial<ReadAll> = {}): Promise<Page> =>
  database.read((transaction) => transaction.events.readAll({ limit: 1000, ...options }))

export const readStream = (database: Database, stream: string): Promise<readonly StoredMessage[]> =>
  database.read((transaction) => transaction.events.readStream(stream, { limit: 1000 }))

export const info = (database: Database, stream: string): Promise<StreamInfo | undefined> =>
  database.read(({ events }) => events.stream(stream))

/** All of a stream, unless told otherwise. */
export const trim = (
  database: Database,
  stream: string,
  options: Partial<Trim> = {},
): Promise<number> =>
  within(database, ({ events }) => events.trim(stream, { through: 1000, limit: 1000, ...options }))

/** Lets the time of `runtime` pass while `work` runs: for adapters that wait for another process by the clock. */
export async function whileTimePasses<T>(runtime: ManualRuntime, work: Promise<T>): Promise<T> {
  let done = false
  const end = (): void => {
    done = true
  }
  work.then(end, end)
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve))
    runtime.advance(1)
  }
  return work
}

/** Expects `work` to throw or reject with this code. */
export async function refuses(code: ErrorCode, work: () => Awaitable<unknown>): Promise<void> {
  let outcome: unknown = 'nothing was thrown'
  try {
    await work()
  } catch (error) {
    if (isThenceError(error, code)) return
    outcome = error
  }
  assert.fail(`expected ${code}, but: ${String(outcome)}`)
}

/** Expects `work` to throw this very error. */
export async function throwsSame(error: Error, work: () => Awaitable<unknown>): Promise<void> {
  let thrown: unknown
  try {
    await work()
  } catch (caught) {
    thrown = caught
  }
  assert.equal(thrown, error)
}

/** Names that an adapter could confuse with one another, with SQL, with patterns or with object properties. */
export const hostileNames: readonly string[] = [
  'order-1',
  'Order-1',
  'order-1 ',
  ' order-1',
  'order-10',
  'order_1',
  'order%',
  'order\\',
  "o'; drop table messages; --",
  '"quoted"',
  '`ticks`',
  '__proto__',
  'constructor',
  'toString',
  'a,b',
  'a|b',
  '["a","b"]',
  '?1',
  '$1',
  ':name',
  'caf\u00e9',
  'cafe\u0301',
  '\u{1f600}',
  '\uffee',
  '日本語',
  'line\nbreak',
  'tab\t',
  '0',
  '00',
  'null',
  'true',
  '1e3',
]

/** JSON texts that must come back byte for byte. */
export const hostileJson: readonly string[] = [
  '{}',
  'null',
  '0',
  '""',
  '[]',
  '{"a": 1,  "b":2}',
  '{"b":1,"a":2,"10":3,"9":4}',
  '{"__proto__":{"polluted":true},"constructor":1}',
  '{"n":9007199254740991,"f":0.1,"e":1e21}',
  '"\u{1f600} 日本語 \uffee \u2028 \u2029"',
  '"\\u00e9 is not é, \\\\ and \\" and \\n"',
  '"\'; drop table messages; --"',
]
