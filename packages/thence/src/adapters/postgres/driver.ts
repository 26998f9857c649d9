/**
 * The few methods of `pg` that the adapter calls. A `Pool` fits; it is not imported, so that its version is the user's.
 */

/** What travels as a parameter. */
export type PostgresValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly string[]
  | readonly number[]

export interface PostgresQuery {
  readonly text: string
  readonly values: PostgresValue[]
  /** Rows as arrays of their columns, or as objects. */
  readonly rowMode?: 'array'
  /** Also without parameters only one statement is taken. */
  readonly queryMode?: 'extended'
  /** How the text of a value is read, by the type's number. */
  readonly types: {
    getTypeParser(type: number, format?: unknown): (value: string) => unknown
  }
}

export interface PostgresResult {
  /** The first word of what was done, for example `COMMIT`. */
  readonly command: string
  readonly rowCount: number | null
  readonly rows: unknown[]
}

/** What came of a NOTIFY. */
export interface PostgresNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** One connection. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>
  /** Several statements without parameters: one result for each if there are more than one. */
  query(text: string): Promise<PostgresResult | PostgresResult[]>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  on(event: 'notification', listener: (notification: PostgresNotification) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'end', listener: () => void): unknown
  off(event: 'notification', listener: (notification: PostgresNotification) => void): unknown
  /** The number of the server's process, as it was told at the beginning of the connection. */
  readonly processID?: number | null
  /** Whether what is asked is sent at once, and not only when what was asked before it is answered. */
  readonly pipeline?: boolean
  /** Speaks to the server. Where it is that of `pg`, several statements are sent in one call. */
  readonly connection?: unknown
  /** Back to the pool; with `true` it is closed instead. */
  release(destroy?: boolean): void
}

/** Thence takes its connections from it and ends it when the store is closed: give it one of its own. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Told of each new connection before it is handed out. */
  on(event: 'connect', listener: (client: PostgresClient) => void): unknown
  end(): Promise<void>
  /** What it was made with. */
  readonly options?: { readonly max?: number | undefined }
}
