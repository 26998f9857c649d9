/**
 * What can be said, as types: messages as a user writes them, as they travel with an identity, and as they were
 * recorded. There is no behaviour here.
 */
import type { JsonValue } from './json.ts'

/** What is stored in the log; queries are asked, never stored. */
export type RecordedKind = 'event' | 'command'
export type Kind = RecordedKind | 'query'

/** What a saga notes on a command that it sends, so that its stream tells the whole story. */
export interface SagaMark {
  readonly step: string
  /** 1 for the first try. */
  readonly attempt: number
  /** True when the command compensates the step. */
  readonly undo?: boolean
}

/** Where a saga's mark stands on a message before it is recorded: in `metadata` anyone could write one. */
export const sagaMark: unique symbol = Symbol('thence.sagaMark')

/** Where a message comes from; it travels along without the user asking. */
export interface Metadata {
  /** The same for everything that follows from one first message: that message's id. */
  readonly correlationId: string
  /** The id of the message that led to this one; absent on a first message. */
  readonly causationId?: string
  /** W3C trace context, handed on unchanged. */
  readonly traceparent?: string
  readonly tracestate?: string
  /** The user's own facts (tenant, actor …), handed on unchanged. */
  readonly user?: Readonly<Record<string, JsonValue>>
  /** Set by sagas only. */
  readonly saga?: SagaMark
  /** The id of the message that an operator edited to make this one. */
  readonly edits?: string
}

/** What a sender may say about a message beside its data. */
export interface MessageOptions {
  /** An id of your own (any text up to 256 characters) makes sending idempotent; default: a new UUIDv7. */
  readonly id?: string
  /** Handed on to all that follows; default: that of the message being handled. */
  readonly metadata?: Partial<Omit<Metadata, 'saga' | 'edits'>>
  /** Names that append conditions and reads can ask for, in addition to those of the definition. */
  readonly tags?: readonly string[]
}

/** A message as it is written down, not yet validated nor recorded. */
export interface Message<
  K extends Kind = Kind,
  Type extends string = string,
  Data = unknown,
> extends MessageOptions {
  readonly kind: K
  readonly type: Type
  /** Which version of the type's schema `data` follows; 1 is the first. */
  readonly schemaVersion: number
  readonly data: Data
  /** @internal */
  readonly [sagaMark]?: SagaMark
}

export type EventMessage<Type extends string = string, Data = unknown> = Message<
  'event',
  Type,
  Data
>
export type CommandMessage<Type extends string = string, Data = unknown> = Message<
  'command',
  Type,
  Data
>

/** A message with an identity: what a handler or a decision is given. */
export interface Issued<Type extends string = string, Data = unknown> {
  readonly kind: Kind
  readonly type: Type
  readonly schemaVersion: number
  readonly id: string
  readonly data: Data
  readonly tags: readonly string[]
  readonly metadata: Metadata
}

/** A message in the log. In development it is deeply frozen. */
export interface Recorded<Type extends string = string, Data = unknown> extends Issued<Type, Data> {
  readonly kind: RecordedKind
  readonly stream: string
  /** Place in the stream; 1 is the first. */
  readonly version: number
  /** Place in the whole log; grows in commit order. */
  readonly position: number
  /**
   * When it was recorded, in Unix milliseconds by the clock of the process that wrote it; of a timer's message, by the
   * clock of the database.
   */
  readonly time: number
}
