// A user's own transaction, held by each of the libraries that users hold one with: all of them insert the same row and are handed to
// the same cases.
import { drizzle as drizzleOnPg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { sql as drizzleSql } from 'drizzle-orm'
import { PrismaPg } from '@prisma/adapter-pg'
import { knex as makeKnex } from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import postgresJs from 'postgres'
import type { OwnTransaction } from 'thence'
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPg,
  fromPostgresJs,
  fromPrisma,
} from 'thence/postgres'
import { PrismaClient } from './prisma/client/client.ts'

/** What a user does in one transaction. */
export interface Held {
  readonly own: OwnTransaction
  /** Inserts a row of the user's into `orders`. */
  readonly insert: (id: string) => PromiseLike<unknown>
}

export interface Library {
  /** Commits when `work` resolves and rolls back when it throws, as the library does it. */
  transaction<T>(work: (held: Held) => Promise<T>): Promise<T>
  close(): Promise<unknown>
}

/** Where the user's table and the store are. */
export interface Where {
  readonly url: string
  readonly schema: string
}

const poolOf = ({ url, schema }: Where): Pool =>
  new Pool({ connectionString: url, max: 4, options: `-c search_path=${schema}` })

const pg = (where: Where): Library => {
  const pool = poolOf(where)
  return {
    async transaction(work) {
      const client = await pool.connect()
      const insert = (id: string) => client.query('INSERT INTO orders (id) VALUES ($1)', [id])
      try {
        await client.query('BEGIN')
        const result = await work({ own: fromPg(client), insert })
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      } finally {
        client.release()
      }
    },
    close: () => pool.end(),
  }
}

const porsager = ({ url, schema }: Where): Library => {
  const client = postgresJs(url, {
    max: 4,
    connection: { search_path: schema },
    onnotice: () => undefined,
  })
  return {
    async transaction<T>(work: (held: Held) => Promise<T>) {
      let result: { readonly value: T } | undefined
      await client.begin(async (sql) => {
        const insert = (id: string) => sql`INSERT INTO orders (id) VALUES (${id})`
        result = { value: await work({ own: fromPostgresJs(sql), insert }) }
      })
      return result!.value
    },
    close: () => client.end(),
  }
}

const kysely = (where: Where): Library => {
  const db = new Kysely<{ orders: { id: string } }>({
    dialect: new PostgresDialect({ pool: poolOf(where) }),
  })
  return {
    transaction: (work) =>
      db.transaction().execute((trx) =>
        work({
          own: fromKysely(trx),
          insert: (id) => trx.insertInto('orders').values({ id }).execute(),
        }),
      ),
    close: () => db.destroy(),
  }
}

const knex = ({ url, schema }: Where): Library => {
  const db = makeKnex({
    client: 'pg',
    connection: url,
    searchPath: [schema],
    pool: { min: 0, max: 4 },
  })
  return {
    transaction: (work) =>
      db.transaction((trx) =>
        work({ own: fromKnex(trx), insert: (id) => trx('orders').insert({ id }) }),
      ),
    close: () => db.destroy(),
  }
}

const orders = pgTable('orders', { id: text().primaryKey() })

const drizzle = (where: Where): Library => {
  const pool = poolOf(where)
  const db = drizzleOnPg({ client: pool })
  return {
    transaction: (work) =>
      db.transaction((tx) =>
        work({
          own: fromDrizzle(tx, drizzleSql),
          insert: (id) => tx.insert(orders).values({ id }),
        }),
      ),
    close: () => pool.end(),
  }
}

const drizzleOnPorsager = ({ url, schema }: Where): Library => {
  const client = postgresJs(url, {
    max: 4,
    connection: { search_path: schema },
    onnotice: () => undefined,
  })
  const db = drizzleOnPostgresJs({ client })
  return {
    transaction: (work) =>
      db.transaction((tx) =>
        work({
          own: fromDrizzle(tx, drizzleSql),
          insert: (id) => tx.insert(orders).values({ id }),
        }),
      ),
    close: () => client.end(),
  }
}

const prisma = ({ url, schema }: Where): Library => {
  const adapter = new PrismaPg({ connectionString: url, max: 4 }, { schema })
  const client = new PrismaClient({ adapter })
  return {
    transaction: (work) =>
      client.$transaction(
        (tx) => work({ own: fromPrisma(tx), insert: (id) => tx.orders.create({ data: { id } }) }),
        { timeout: 30_000 },
      ),
    close: () => client.$disconnect(),
  }
}

export const libraries: readonly {
  readonly name: string
  readonly open: (where: Where) => Library
}[] = [
  { name: 'pg', open: pg },
  { name: 'postgres', open: porsager },
  { name: 'Kysely', open: kysely },
  { name: 'Knex', open: knex },
  { name: 'Drizzle on pg', open: drizzle },
  { name: 'Drizzle on postgres', open: drizzleOnPorsager },
  { name: 'Prisma', open: prisma },
]
