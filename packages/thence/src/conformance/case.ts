/**
 * What a conformance case is: data with a name and a function, so that any runner can run it on any adapter.
 * Nothing here knows a test runner; a case fails by throwing.
 */
import type { Awaitable } from '../ports/awaitable.ts'
import type { Capabilities, Database } from '../ports/database.ts'
import { ManualRuntime } from './manual-runtime.ts'

/** One promise of a port, and the proof of it. */
export interface Case {
  /** A sentence that says what holds. */
  readonly name: string
  /** The file in ports/ that promises it. */
  readonly port: string
  /** Why the case does not apply to an adapter with these capabilities; undefined if it does. */
  readonly requires?: (capabilities: Capabilities) => string | undefined
  /** Resolves if the promise is kept, else throws. */
  run(make: Make): Promise<void>
}

export interface MakeOptions {
  /** How long a transaction may stay open, in milliseconds, where the adapter can be told. */
  readonly transactionTimeout?: number
  /** Default true. */
  readonly migrate?: boolean
}

/** What a case is given to work on. */
export interface Subject {
  /** Fresh and empty, opened, migrated unless asked otherwise. */
  readonly database: Database
  /** The runtime that the database was opened with: its clock stands still until a case advances it. */
  readonly runtime: ManualRuntime
  readonly dialect: Dialect
  /** Closes the database and opens its store again. For stores that can be shared. */
  reopen(): Promise<Database>
  /** Another Database object on the same store, as another process would have. For stores that can be shared. */
  second(): Promise<Database>
  dispose(): Promise<void>
}

/** Gives a fresh subject; {@link makeFrom} builds one. */
export type Make = (options?: MakeOptions) => Promise<Subject>

/** How this database writes what the cases of ports/sql.ts need. */
export interface Dialect {
  /** The n-th parameter, from 1; default `?`. */
  placeholder(index: number): string
  /** The column type for bytes; default `blob`. */
  readonly bytes: string
}

/** What the author of an adapter writes: a new store, and how to reach it. */
export interface Store {
  /** A new Database object on this store, not opened. Called again only if the store can be shared. */
  connect(options: { readonly transactionTimeout?: number }): Awaitable<Database>
  /** Throws the store away, after its databases were closed. */
  dispose?(): Awaitable<void>
}

const plainDialect: Dialect = { placeholder: () => '?', bytes: 'blob' }

/** Makes subjects out of a function that gives a new, empty store. */
export function makeFrom(create: () => Awaitable<Store>, dialect: Dialect = plainDialect): Make {
  return async (options = {}) => {
    const store = await create()
    const runtime = new ManualRuntime()
    const opened: Database[] = []
    const { migrate = true, ...connection } = options
    const open = async (): Promise<Database> => {
      const database = await store.connect(connection)
      opened.push(database)
      await database.open(runtime)
      if (migrate) await database.migrate()
      return database
    }
    const database = await open()
    return {
      database,
      runtime,
      dialect,
      second: open,
      async reopen() {
        for (const one of opened) await one.close()
        return open()
      },
      async dispose() {
        for (const one of opened) await one.close()
        await store.dispose?.()
      },
    }
  }
}

export interface CaseOptions {
  readonly requires?: (capabilities: Capabilities) => string | undefined
  readonly make?: MakeOptions
}

type Definer = (
  name: string,
  run: (subject: Subject) => Promise<void>,
  options?: CaseOptions,
) => Case

/** Gives a function that defines cases of `port`, each on a subject of its own. */
export const casesOf =
  (port: string): Definer =>
  (name, run, { requires, make: makeOptions } = {}) => ({
    name,
    port,
    ...(requires && { requires }),
    async run(make) {
      const subject = await make(makeOptions)
      try {
        await run(subject)
      } finally {
        await subject.dispose()
      }
    },
  })

/** For cases that open the store again, or several times. */
export const shared = ({ shared: is }: Capabilities): string | undefined =>
  is ? undefined : 'what it stores ends with the Database object'
