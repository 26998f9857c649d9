/**
 * Sagas told from their streams: which are open, and what one has done, decided and still waits for. Steps that have
 * not begun are not known here: they are in the app's code.
 */
import { loadParts } from '../app/part-records.ts'
import { Codec } from '../message/codec.ts'
import type { OptionNames } from '../message/expect.ts'
import { Registry } from '../message/registry.ts'
import type { Transaction } from '../ports/database.ts'
import type { SagaState, SagaStatus, SagaTimer, StepStatus } from '../saga/facts.ts'
import { loadSaga, openSagas } from '../saga/run.ts'
import { timerPrefix } from '../saga/turn.ts'
import type { MessageView } from '../message/view.ts'
import { viewOf } from '../message/view.ts'
import type { On } from './on.ts'
import { notFound } from './on.ts'
import { expectListing, noPlace } from './place.ts'

export type { SagaStatus, StepStatus }

export interface SagaStep {
  readonly step: string
  /** `unknown`: it timed out, so it may have worked. */
  readonly status: StepStatus
  readonly attempt: number
}

/** One instance of a saga. */
export interface SagaSummary {
  /** The name of its stream: `saga-key`. */
  readonly instance: string
  readonly saga: string
  readonly key: string
  readonly status: SagaStatus
  /** When it began, Unix milliseconds. */
  readonly since: number
  /** When it last did something, Unix milliseconds. */
  readonly updated: number
  /** Steps that were begun, in order. */
  readonly steps: readonly SagaStep[]
  /** Why it compensates or has compensated, or null. */
  readonly reason: string | null
}

export interface SagaTimerView {
  readonly id: string
  readonly kind: SagaTimer['kind']
  /** The step, or the name of a reaction's timer. */
  readonly name: string
  readonly attempt: number
  /** Unix milliseconds. */
  readonly due: number
}

export interface SagaView extends SagaSummary {
  /** What its reactions keep; null if they keep nothing. */
  readonly state: unknown
  /** How many messages its stream has. */
  readonly version: number
  /** The latest of its facts and commands, oldest first. */
  readonly messages: readonly MessageView[]
  readonly timers: readonly SagaTimerView[]
}

export interface SagasOptions {
  /** Only instances of this saga. */
  readonly saga?: string
  /** Ended ones too. Default: only open ones. */
  readonly all?: boolean
  /** Only instances after this one. */
  readonly after?: string
  /** Default 50. */
  readonly limit?: number
}

/** Without definitions data comes back as it was stored, which is all that a saga's own facts need. */
const codec = new Codec(new Registry(), false)
const stateless = (name: string): { name: string; initial: () => null } => ({
  name,
  initial: () => null,
})

/** A saga's name has no `-`, so the first one ends it. */
const split = (instance: string): { readonly saga: string; readonly key: string } => {
  const dash = instance.indexOf('-')
  return dash < 0
    ? { saga: instance, key: '' }
    : { saga: instance.slice(0, dash), key: instance.slice(dash + 1) }
}

export async function sagaNames(transaction: Transaction): Promise<readonly string[]> {
  const parts = await loadParts(transaction)
  return parts.filter(({ part }) => part === 'saga').map(({ name }) => name)
}

const keysOf = async (
  { documents, events }: Transaction,
  saga: string,
  page: { readonly all: boolean; readonly after: string | undefined; readonly limit: number },
): Promise<readonly string[]> => {
  const { all, after, limit } = page
  if (!all) {
    const options = { limit, ...(after === undefined ? {} : { after }) }
    return (await documents.list(openSagas(saga), options)).map(({ key }) => key)
  }
  const prefix = `${saga}-`
  const from = after === undefined ? {} : { after: `${prefix}${after}` }
  const found = await events.streams({ prefix, limit, ...from })
  return found.map(({ stream }) => stream.slice(prefix.length))
}

const summaryOf = async (
  { events }: Transaction,
  { saga, key }: { readonly saga: string; readonly key: string },
  { status, steps, reason }: SagaState,
): Promise<SagaSummary> => {
  const instance = `${saga}-${key}`
  const [first] = await events.readStream(instance, { limit: 1 })
  const info = await events.stream(instance)
  return {
    instance,
    saga,
    key,
    status,
    since: first?.time ?? info?.time ?? 0,
    updated: info?.time ?? 0,
    steps,
    reason: reason ?? null,
  }
}

const optionNames: OptionNames<SagasOptions> = {
  saga: true,
  all: true,
  after: true,
  limit: true,
}

/** @throws CONFIG_INVALID unless it is left out, or names an instance of one of the sagas. */
const checkPlace = (after: string | undefined, names: readonly string[]): void => {
  if (after === undefined) return
  const { saga: name, key } = split(after)
  if (key === '' || !names.includes(name)) throw noPlace('after', after)
}

/** Instances by saga and key, open ones unless `all`. @throws NOT_FOUND (the saga), CONFIG_INVALID for an `after` that no page gave */
export async function sagas(on: On, options: SagasOptions = {}): Promise<readonly SagaSummary[]> {
  expectListing('sagas', options, optionNames)
  const { saga: only, all = false, limit = 50 } = options
  const last = options.after === undefined ? undefined : split(options.after)
  return on.database.read(async (transaction) => {
    const names = await sagaNames(transaction)
    if (only !== undefined && !names.includes(only))
      throw notFound('saga', only, { names, advice: 'See: thence subscriptions list.' })
    checkPlace(options.after, names)
    const found: SagaSummary[] = []
    for (const saga of only === undefined ? names : [only]) {
      if (last !== undefined && saga < last.saga) continue
      const after = last?.saga === saga ? last.key : undefined
      for (const key of await keysOf(transaction, saga, {
        all,
        after,
        limit: limit - found.length,
      }))
        found.push(await summarise(transaction, saga, key))
      if (found.length >= limit) break
    }
    return found
  })
}

const summarise = async (
  transaction: Transaction,
  saga: string,
  key: string,
): Promise<SagaSummary> => {
  const state = await loadSaga(transaction, { codec }, { saga: stateless(saga), key })
  return summaryOf(transaction, { saga, key }, state)
}

const timersOf = async (
  { timers }: Transaction,
  instance: string,
): Promise<readonly SagaTimerView[]> => {
  const prefix = timerPrefix(instance)
  const found: SagaTimerView[] = []
  let after = prefix
  for (;;) {
    const page = await timers.list({ after, limit: 100 })
    for (const { id, due, message } of page) {
      if (!id.startsWith(prefix)) return found
      const { kind, step, attempt } = JSON.parse(message.data) as SagaTimer
      found.push({ id, kind, name: step, attempt, due })
    }
    if (page.length < 100) return found
    after = page.at(-1)?.id ?? after
  }
}

/**
 * One instance with its state, its timers and its latest messages.
 * @param instance `saga-key`, as {@link sagas} gives it.
 * @param options `limit`: at most so many messages; default 100.
 * @throws NOT_FOUND
 */
export function saga(
  on: On,
  instance: string,
  { limit = 100 }: { readonly limit?: number } = {},
): Promise<SagaView> {
  return on.database.read(async (transaction) => {
    const which = split(instance)
    await requireInstance(transaction, instance, which)
    const state = await loadSaga(
      transaction,
      { codec },
      { saga: stateless(which.saga), key: which.key },
    )
    const page = await transaction.events.readStream(instance, { backwards: true, limit })
    return {
      ...(await summaryOf(transaction, which, state)),
      state: state.own,
      version: state.version,
      messages: page.map(viewOf).reverse(),
      timers: await timersOf(transaction, instance),
    }
  })
}

const requireInstance = async (
  transaction: Transaction,
  instance: string,
  { saga: name }: { readonly saga: string },
): Promise<void> => {
  const names = await sagaNames(transaction)
  if (!names.includes(name)) {
    const advice = 'Name an instance as saga-key; see: thence sagas list --all.'
    throw notFound('saga', name, { names, advice })
  }
  const [first] = await transaction.events.readStream(instance, { limit: 1 })
  if (first !== undefined) return
  const some = await transaction.events.streams({ prefix: `${name}-`, limit: 200 })
  throw notFound('saga instance', instance, {
    names: some.map(({ stream }) => stream),
    advice: 'See: thence sagas list --all.',
  })
}

/** How many instances of a saga are open. */
export interface OpenSagas {
  readonly saga: string
  readonly open: number
  /** When the oldest of them began, Unix milliseconds; null if none is open. */
  readonly oldest: number | null
}

const countPage = 1000

const countOpen = async ({ database }: On, saga: string): Promise<OpenSagas> => {
  let open = 0
  let oldest = Infinity
  let after: string | undefined
  for (;;) {
    const options = { limit: countPage, ...(after === undefined ? {} : { after }) }
    const page = await database.read(({ documents }) => documents.list(openSagas(saga), options))
    for (const { value } of page) {
      const { since } = JSON.parse(value) as { since: number }
      oldest = Math.min(oldest, since)
    }
    open += page.length
    after = page.at(-1)?.key
    if (page.length < countPage) break
  }
  return { saga, open, oldest: open === 0 ? null : oldest }
}

/** Counts the open instances of every saga, a page per transaction. */
export async function openSagaCounts(on: On): Promise<readonly OpenSagas[]> {
  const names = await on.database.read(sagaNames)
  const counts: OpenSagas[] = []
  for (const name of names) counts.push(await countOpen(on, name))
  return counts
}
