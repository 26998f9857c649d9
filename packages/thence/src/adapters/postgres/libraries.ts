/**
 * What libraries hold as their open transaction, made into what `App.within` takes. None is imported: each function calls what its
 * library documents, and a type test shows that the real one fits.
 */
import type { OwnTransaction } from '../../ports/database.ts'

/** A client of `pg`. */
export interface PgClient {
  query(text: string, values: string[]): Promise<{ readonly rows: readonly unknown[] }>
}

/** For `client` of `pg`, between its `BEGIN` and its `COMMIT`. */
export const fromPg = (client: PgClient): OwnTransaction => ({
  library: 'pg',
  of: client,
  query: async (text, values) => (await client.query(text, [...values])).rows,
})

/** What `sql.begin` of `postgres` gives to its work. */
export interface PostgresJsTransaction {
  unsafe(text: string, values: string[]): PromiseLike<readonly unknown[]>
}

/**
 * For `sql` inside `sql.begin` of the library `postgres`. An error of the server makes that one roll back, even if you catch it; what
 * Thence refuses by itself, such as a conflict, is none.
 */
export const fromPostgresJs = (sql: PostgresJsTransaction): OwnTransaction => ({
  library: 'postgres',
  of: sql,
  query: async (text, values) => [...(await sql.unsafe(text, [...values]))],
})

/** A statement of Kysely that was compiled, as its `CompiledQuery.raw` makes it. */
export interface KyselyQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly query: {
    readonly kind: 'RawNode'
    readonly sqlFragments: readonly string[]
    readonly parameters: readonly []
  }
  readonly queryId: { readonly queryId: string }
}

/** What `transaction().execute` of Kysely gives to its work, or a controlled transaction. */
export interface KyselyTransaction {
  executeQuery(query: KyselyQuery): Promise<{ readonly rows: readonly unknown[] }>
}

/** For `trx` of Kysely, on its dialect for `pg` or for `postgres`. */
export const fromKysely = (trx: KyselyTransaction): OwnTransaction => ({
  library: 'Kysely',
  of: trx,
  query: async (text, values) => {
    const query = { kind: 'RawNode', sqlFragments: [text], parameters: [] } as const
    const queryId = { queryId: 'thence' }
    return (await trx.executeQuery({ sql: text, parameters: values, query, queryId })).rows
  },
})

/** The text between parameters, and the values in the order in which they stand in it. */
const apart = (
  text: string,
  values: readonly string[],
): { readonly texts: readonly string[]; readonly values: readonly string[] } => {
  const pieces = text.split(/\$(\d+)/)
  return {
    texts: pieces.filter((_, index) => index % 2 === 0),
    values: pieces
      .filter((_, index) => index % 2 === 1)
      .map((number) => values[Number(number) - 1] ?? ''),
  }
}

/** A list of rows, or a result that has one: that depends on the driver below. */
const rowsOf = (result: unknown): readonly unknown[] => {
  if (Array.isArray(result)) return result
  if (typeof result !== 'object' || result === null || !('rows' in result)) return []
  return Array.isArray(result.rows) ? result.rows : []
}

/** What `transaction` of Knex gives to its work. */
export interface KnexTransaction {
  raw(text: string, bindings: readonly string[]): PromiseLike<unknown>
}

/** For `trx` of Knex, with `client: 'pg'`. */
export const fromKnex = (trx: KnexTransaction): OwnTransaction => ({
  library: 'Knex',
  of: trx,
  query: async (text, values) => {
    const { texts, values: bindings } = apart(text, values)
    return rowsOf(await trx.raw(texts.map((one) => one.replaceAll('?', '\\?')).join('?'), bindings))
  },
})

/** What `transaction` of Drizzle gives to its work. */
export interface DrizzleTransaction<Query> {
  execute(query: Query): PromiseLike<unknown>
}

/** The tag `sql` of `drizzle-orm`. */
export type DrizzleTag<Query> = (strings: TemplateStringsArray, ...values: string[]) => Query

/** For `tx` of Drizzle, on `pg` or on `postgres`, with the tag `sql` of `drizzle-orm`. */
export const fromDrizzle = <Query>(
  tx: DrizzleTransaction<Query>,
  sql: DrizzleTag<Query>,
): OwnTransaction => ({
  library: 'Drizzle',
  of: tx,
  query: async (text, values) => {
    const { texts, values: inOrder } = apart(text, values)
    const query = sql(Object.assign([...texts], { raw: texts }), ...inOrder)
    try {
      return rowsOf(await tx.execute(query))
    } catch (error) {
      // Drizzle tells which query failed; what the server said is below.
      throw error instanceof Error && error.cause !== undefined ? error.cause : error
    }
  },
})

/** What an interactive `$transaction` of Prisma gives to its work. */
export interface PrismaTransaction {
  $queryRawUnsafe(text: string, ...values: string[]): PromiseLike<unknown>
}

const inside = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** What the server said, out of what Prisma and its driver adapter made of it. */
const prismaError = (error: unknown): unknown => {
  const meta = inside(error, 'meta')
  const code = inside(inside(inside(meta, 'driverAdapterError'), 'cause'), 'originalCode')
  const message = error instanceof Error ? error.message : String(error)
  const told = new Error(message, { cause: error })
  return typeof code === 'string' ? Object.assign(told, { code }) : told
}

/** For `tx` inside an interactive `$transaction` of Prisma. */
export const fromPrisma = (tx: PrismaTransaction): OwnTransaction => ({
  library: 'Prisma',
  of: tx,
  query: async (text, values) => {
    try {
      return rowsOf(await tx.$queryRawUnsafe(text, ...values))
    } catch (error) {
      throw prismaError(error)
    }
  },
})
