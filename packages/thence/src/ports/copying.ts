/**
 * What a store consists of, as rows of tables that every database adapter keeps in the same form: so that a store can be
 * moved from one database to another and compared with what it was moved from.
 */

/** How a column is kept: a boolean is told as 0 or 1. */
export type CopiedKind = 'text' | 'integer' | 'boolean'

/** A table of a store. The same rows have the same values and the same order in every adapter. */
export interface CopiedTable {
  readonly name: string
  /** Columns by which its rows are identified and ordered, texts by their UTF-8 bytes; none: it has one row. */
  readonly key: readonly string[]
  /** All columns that are copied, those of the key first. */
  readonly columns: Readonly<Record<string, CopiedKind>>
}

export type CopiedValue = string | number | null
/** The values of the columns of its table, in their order. */
export type CopiedRow = readonly CopiedValue[]

const text = 'text'
const integer = 'integer'
const boolean = 'boolean'

/** The log. Its tags are kept in rows of their own too, which whoever writes it makes. */
export const copiedLog: CopiedTable = {
  name: 'events',
  key: ['position'],
  columns: {
    position: integer,
    stream: text,
    version: integer,
    kind: text,
    type: text,
    schema_version: integer,
    id: text,
    correlation_id: text,
    causation_id: text,
    time: integer,
    tags: text,
    metadata: text,
    data: text,
  },
}

/** By which the log is found: written with it, and compared like everything else. */
export const copiedTags: CopiedTable = {
  name: 'tags',
  key: ['tag', 'position'],
  columns: { tag: text, position: integer },
}

const ofLog: readonly CopiedTable[] = [
  { name: 'head', key: [], columns: { position: integer } },
  {
    name: 'trimmed',
    key: ['stream'],
    columns: {
      stream: text,
      version: integer,
      position: integer,
      time: integer,
      tombstone: boolean,
    },
  },
  { name: 'truncated', key: ['type'], columns: { type: text, position: integer } },
  { name: 'measured', key: [], columns: { position: integer } },
  {
    name: 'sizes',
    key: ['category'],
    columns: {
      category: text,
      messages: integer,
      bytes: integer,
      streams: integer,
      removed: integer,
      truncated: integer,
    },
  },
  {
    name: 'inbox',
    key: ['consumer', 'id'],
    columns: {
      consumer: text,
      id: text,
      stream: text,
      version: integer,
      position: integer,
      count: integer,
      result: text,
      time: integer,
      digest: text,
    },
  },
]

const ofSubscriptions: readonly CopiedTable[] = [
  {
    name: 'checkpoints',
    key: ['subscription', 'partition'],
    columns: {
      subscription: text,
      partition: integer,
      position: integer,
      generation: integer,
      epoch: integer,
      rebuild_to: integer,
      rebuild_asked: boolean,
      time: integer,
    },
  },
  {
    name: 'retries',
    key: ['subscription', 'position'],
    columns: {
      subscription: text,
      position: integer,
      key: text,
      hash: integer,
      message_id: text,
      state: text,
      attempts: integer,
      due: integer,
      history: text,
      replay: boolean,
      partitions: integer,
      partition: integer,
    },
  },
  {
    name: 'dead_letters',
    key: ['id'],
    columns: {
      id: text,
      subscription: text,
      position: integer,
      key: text,
      type: text,
      state: text,
      kind: text,
      replay: boolean,
      message: text,
      edited: text,
      error_name: text,
      error_code: text,
      error_message: text,
      stack: text,
      fingerprint: text,
      attempts: text,
      time: integer,
      changed: integer,
      reason: text,
      job: text,
    },
  },
  // Whoever held one is not there any more; that none of its epochs is given twice is what matters.
  { name: 'leases', key: ['name'], columns: { name: text, epoch: integer } },
]

const ofRest: readonly CopiedTable[] = [
  {
    name: 'timers',
    key: ['id'],
    columns: {
      id: text,
      owner: text,
      due: integer,
      stream: text,
      message: text,
      next: integer,
      attempts: integer,
      error: text,
    },
  },
  {
    name: 'snapshots',
    key: ['stream', 'tag'],
    columns: { stream: text, tag: text, version: integer, state: text },
  },
  {
    name: 'documents',
    key: ['collection', 'key'],
    columns: { collection: text, key: text, value: text },
  },
  {
    name: 'audit',
    key: ['id'],
    columns: {
      id: text,
      time: integer,
      actor: text,
      action: text,
      target: text,
      details: text,
      reason: text,
    },
  },
  {
    name: 'jobs',
    key: ['id'],
    columns: {
      id: text,
      kind: text,
      state: text,
      spec: text,
      progress: text,
      total: integer,
      next: integer,
      version: integer,
      created: integer,
      updated: integer,
      actor: text,
      error: text,
    },
  },
]

/**
 * Everything else that a store consists of: all but the processes that run on it, which are of the moment, and tables of views,
 * which are in the SQL of one database.
 */
export const copiedTables: readonly CopiedTable[] = [...ofLog, ...ofSubscriptions, ...ofRest]

export interface ReadRows {
  /** The key of the last row that is known; default: from the first on. */
  readonly after?: readonly CopiedValue[]
  /** At most so many; at least 1. */
  readonly limit: number
  /** At most so many bytes of texts, as UTF-8; the first row comes whatever its size. */
  readonly maxBytes: number
  /** Of the log only what nothing will be put below any more: for a copy that goes on behind its last row. Default false. */
  readonly settled?: boolean
}

/** What is known of a store that is to be filled. */
export interface Filling {
  /** The identity of the store with which it is being filled; undefined: it is not. */
  readonly source: string | undefined
  /** Whether nothing was written to it but its migrations. */
  readonly empty: boolean
}

/** Where the tables of views are. */
export interface OwnNames {
  /** The same text for two connections to the same database, and for no others. */
  readonly database: string
  /** The schema in which they are, or will be in a store that is not made yet. */
  readonly views: string
}

/** An append that is open: what was committed above it is not settled before it ends. */
export interface OpenAppend {
  /** The session, as an operator finds it. */
  readonly who: string
  /** How long its transaction has been open. */
  readonly age: string
  /** What ends it. */
  readonly end: string
}

/** What is asked of a store that is held. */
export interface Held {
  count(table: CopiedTable): Promise<number>
  lastKey(table: CopiedTable): Promise<readonly CopiedValue[] | undefined>
  /** The names of the processes that run on it. */
  members(): Promise<readonly string[]>
}

/**
 * - `names` is there if two stores may be in one database, so that tables of a user's own may be the same ones in both; it can be
 *   asked before the first migration.
 * - `openAppend` is there if the log may go on above an append that is open; it gives the lowest of those, if there is any.
 * - `rows` gives the next rows by their key; `count` how many there are; `lastKey` the key of the last one.
 * - `begin` marks a store as being filled from another: until `end` its `identity` throws STORE_INCOMPLETE, so that no app
 *   starts on it. `end` gives it the identity of the one with which it was filled.
 * - `write` adds rows, those of the log with what finds them by their tags; all or none of one call. `clear` removes all rows of
 *   a table but the log's.
 * - `hold` runs `work` once all that was begun is committed, and while nobody else appends to the store or begins a write transaction; whoever
 *   wants to waits. If `work` throws it throws the same error. Through a connection that may not write nobody is held up: `work` then sees what is
 *   committed when it begins.
 */
export interface Copying {
  names?(): Promise<OwnNames>
  openAppend?(): Promise<OpenAppend | undefined>
  filling(): Promise<Filling>
  begin(source: string): Promise<void>
  end(): Promise<void>
  count(table: CopiedTable): Promise<number>
  lastKey(table: CopiedTable): Promise<readonly CopiedValue[] | undefined>
  rows(table: CopiedTable, options: ReadRows): Promise<readonly CopiedRow[]>
  write(table: CopiedTable, rows: readonly CopiedRow[]): Promise<void>
  clear(table: CopiedTable): Promise<void>
  hold<T>(work: (held: Held) => Promise<T>): Promise<T>
}

/** Every adapter whose stores can be copied to another, or filled from one. */
export interface Copyable {
  copying(): Copying
}
