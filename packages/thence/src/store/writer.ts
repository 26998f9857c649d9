/**
 * Writing to the log inside an open transaction: encode, append, and let inline projections follow at once.
 */
import type { Codec } from '../message/codec.ts'
import { issue } from '../message/codec.ts'
import type { Message, Metadata, Recorded } from '../message/message.ts'
import type { Registry } from '../message/registry.ts'
import type { Transaction } from '../ports/database.ts'
import type {
  AppendCondition,
  Appended,
  AppendRequest,
  Expected,
  NewMessage,
  Once,
} from '../ports/events.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { AppendLimits } from './lane.ts'
import { refuseOther } from './said.ts'
import type { Tokens } from './token.ts'
import { accept } from './verdict.ts'
import type { Watch } from './watch.ts'
import { tellVerdict } from './watch.ts'

/** An append as the rooms write it. */
export interface Append {
  readonly stream: string
  readonly messages: readonly Message[]
  readonly expected?: Expected | undefined
  readonly condition?: AppendCondition | undefined
  readonly once?: Once | undefined
  /** Handed on to each message that does not bring its own. */
  readonly parent?: Metadata | undefined
}

/** What was appended, or had been before. */
export interface AppendResult {
  readonly stream: string
  readonly position: number
  readonly version: number
  readonly events: readonly Recorded[]
  /** True if the same ids had been written before and nothing was written now. */
  readonly duplicate: boolean
  /**
   * Stands for this write: `ask(…, { after: token })` and `until(token, …)` wait for it, in any process on this store.
   * Letters, digits, `.` and `-` only, so it fits in a header or a URL as it is.
   */
  readonly token: string
}

/** Runs in the transaction of every append, right after it. */
export type Inline = (transaction: Transaction, recorded: readonly Recorded[]) => Promise<void>

/** What everyone who writes and reads works with. */
export interface Tools {
  readonly registry: Registry
  readonly codec: Codec
  readonly runtime: Runtime
  readonly tokens: Tokens
  /** Told what becomes of appends. */
  readonly watch?: Watch | undefined
  /** How much may wait for its commit. */
  readonly appends?: AppendLimits | undefined
}

/** An append on its way: what goes to the port, and the data to give back without reading it again. */
export interface Prepared {
  readonly request: AppendRequest
  /** The data of each message, as it will be read back. */
  readonly data: readonly unknown[]
}

/** Validates and encodes; everything that can be refused is refused here, before the log is touched. */
export function prepare(append: Append, { registry, codec, runtime }: Tools): Prepared {
  const { stream, messages, expected, condition, once, parent } = append
  const time = runtime.now()
  const encoded: NewMessage[] = []
  const data: unknown[] = []
  for (const message of messages) {
    const definition = registry.require(message.type)
    if (message.kind === 'command') registry.requireTaker(message.type)
    const made = issue(definition, message, { id: message.id ?? runtime.id(), parent })
    const one = codec.encode(made, time)
    encoded.push(one.stored)
    data.push(one.data)
  }
  const request: AppendRequest = {
    stream,
    messages: encoded,
    ...(expected === undefined ? {} : { expected }),
    ...(condition === undefined ? {} : { condition }),
    ...(once === undefined ? {} : { once }),
  }
  return { request, data }
}

/** The result of an append that was written just now. */
export function resultOf(
  prepared: Prepared,
  at: Appended,
  { codec, tokens }: Pick<Tools, 'codec' | 'tokens'>,
): AppendResult {
  const { request, data } = prepared
  const { stream, position, version } = at
  const before = request.messages.length
  const events = request.messages.map((message, index) =>
    codec.recorded(
      {
        ...message,
        stream: request.stream,
        version: at.version - before + index + 1,
        position: at.position - before + index + 1,
      },
      data[index],
    ),
  )
  const token = tokens.make(at)
  return { stream, position, version, events, duplicate: false, token }
}

/** The result of an earlier append, read again. */
export async function readBack(
  transaction: Transaction,
  { stream, position, version, count }: Appended,
  { codec, tokens }: Pick<Tools, 'codec' | 'tokens'>,
): Promise<AppendResult> {
  const range = { from: version - count + 1, limit: count }
  const stored = count === 0 ? [] : await transaction.events.readStream(stream, range)
  const events = stored.map((message) => codec.decode(message))
  const token = tokens.make({ position, count })
  return { stream, position, version, events, duplicate: true, token }
}

/**
 * The result of an append whose ids, or whose `once`, were there already.
 * @throws MESSAGE_ID_REUSED if `once` was something else.
 */
export async function writtenBefore(
  transaction: Transaction,
  { request, at }: Pick<Prepared, 'request'> & { readonly at: Appended },
  tools: Pick<Tools, 'codec' | 'tokens'>,
): Promise<AppendResult> {
  await refuseOther(transaction, request.once)
  return readBack(transaction, at, tools)
}

/** What one commit of this process added to the log: between which positions, both included, and how many of each type. */
export interface Commit {
  readonly from: number
  readonly to: number
  readonly types: ReadonlyMap<string, number>
}

/** Whether nothing of others stands in between: some stores give positions to several transactions at once. */
export const isUnbroken = ({ from, to, types }: Commit): boolean => {
  let messages = 0
  for (const count of types.values()) messages += count
  return messages === to - from + 1
}

const addTo = (types: Map<string, number>, type: string, count: number): void =>
  void types.set(type, (types.get(type) ?? 0) + count)

/** Collects what a transaction appends. */
export class Appendices {
  #added: Commit[] = []

  add({ position, count }: Appended, messages: readonly { readonly type: string }[]): void {
    if (count === 0) return
    const types = new Map<string, number>()
    for (const { type } of messages) addTo(types, type, 1)
    this.#added.push({ from: position - count + 1, to: position, types })
  }

  /** How much there is now; see {@link Appendices.undo}. */
  get length(): number {
    return this.#added.length
  }

  /** Forgets what was added since there were `length`: it was rolled back. */
  undo(length: number): void {
    this.#added.length = length
  }

  /** Undefined if nothing was appended. */
  get commit(): Commit | undefined {
    const first = this.#added.at(0)
    const last = this.#added.at(-1)
    if (first === undefined || last === undefined) return undefined
    if (first === last) return first
    const types = new Map<string, number>()
    for (const one of this.#added) for (const [type, count] of one.types) addTo(types, type, count)
    const from = this.#added.reduce((least, one) => Math.min(least, one.from), first.from)
    const to = this.#added.reduce((most, one) => Math.max(most, one.to), last.to)
    return { from, to, types }
  }
}

/** The log inside one open transaction. */
export class Writer {
  /** Its savepoints are for {@link Writer.savepoint}, which also takes back what the writer has noted. */
  readonly transaction: Transaction
  readonly #tools: Tools
  readonly #inline: Inline | undefined
  readonly #appendices = new Appendices()
  #followed: Promise<void> = Promise.resolve()

  constructor(transaction: Transaction, tools: Tools, inline: Inline | undefined) {
    this.transaction = transaction
    this.#tools = tools
    this.#inline = inline
  }

  /** What was appended so far. */
  get commit(): Commit | undefined {
    return this.#appendices.commit
  }

  /** How many appends that were. */
  get appends(): number {
    return this.#appendices.length
  }

  /** Runs `work`; if it throws, undoes only what `work` did and throws the same error. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#appendices.length
    try {
      return await this.transaction.savepoint(work)
    } catch (error) {
      this.#appendices.undo(before)
      throw error
    }
  }

  /** Appends and lets inline projections follow. @throws VERSION_CONFLICT, CONDITION_FAILED, MESSAGE_ID_REUSED */
  async append(append: Append): Promise<AppendResult> {
    return this.write(prepare(append, this.#tools))
  }

  /** Appends messages that were encoded before, as a timer keeps them; nothing if they are in the log already. */
  async appendStored(stream: string, messages: readonly NewMessage[]): Promise<void> {
    const request = { stream, messages }
    const verdict = await this.transaction.events.append(request)
    tellVerdict(this.#tools.watch, request, verdict)
    const at = accept(request, verdict)
    if (verdict.outcome === 'duplicate') return
    this.#appendices.add(at, messages)
    if (this.#inline === undefined) return
    const { events } = await readBack(this.transaction, at, this.#tools)
    await this.#follow(events)
  }

  /** One append after the other: two may be under way, and inline projections read what they write. */
  async #follow(events: readonly Recorded[]): Promise<void> {
    const inline = this.#inline
    if (inline === undefined || events.length === 0) return
    const turn = this.#followed.then(() => inline(this.transaction, events))
    this.#followed = turn.catch(() => undefined)
    return turn
  }

  async write(prepared: Prepared): Promise<AppendResult> {
    const verdict = await this.transaction.events.append(prepared.request)
    tellVerdict(this.#tools.watch, prepared.request, verdict)
    const at = accept(prepared.request, verdict)
    if (verdict.outcome === 'duplicate')
      return writtenBefore(this.transaction, { ...prepared, at }, this.#tools)
    const result = resultOf(prepared, at, this.#tools)
    const { events } = result
    this.#appendices.add(at, events)
    await this.#follow(events)
    return result
  }
}

/** The stream of recorded commands of one type that no saga sent. */
export const commandStream = (type: string): string => `commands-${type}`
