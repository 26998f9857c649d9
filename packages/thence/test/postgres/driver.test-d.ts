// What libraries have fits the shapes that the adapter declares, without a cast.
import { sql, type SQL } from 'drizzle-orm'
import type { NodePgTransaction } from 'drizzle-orm/node-postgres'
import type { Knex } from 'knex'
import type { ControlledTransaction, Transaction } from 'kysely'
import { type Client, Pool, type PoolClient } from 'pg'
import type { TransactionSql } from 'postgres'
import type {
  DrizzleTag,
  DrizzleTransaction,
  KnexTransaction,
  KyselyTransaction,
  PgClient,
  PostgresJsTransaction,
  PostgresPool,
  PrismaTransaction,
} from 'thence/postgres'
import { postgres } from 'thence/postgres'
import { expectTypeOf, test } from 'vitest'
import type { Prisma } from '../kit/own/prisma/client/client.ts'

test('a pool of pg is taken as it is', () => {
  expectTypeOf<Pool>().toExtend<PostgresPool>()
  expectTypeOf(postgres).toBeCallableWith({ pool: new Pool() })
})

test('what each library holds as its transaction is taken as it is', () => {
  expectTypeOf<Client | PoolClient>().toExtend<PgClient>()
  expectTypeOf<TransactionSql>().toExtend<PostgresJsTransaction>()
  expectTypeOf<Transaction<{ orders: { id: string } }>>().toExtend<KyselyTransaction>()
  expectTypeOf<ControlledTransaction<{ orders: { id: string } }>>().toExtend<KyselyTransaction>()
  expectTypeOf<Knex.Transaction>().toExtend<KnexTransaction>()
  expectTypeOf<NodePgTransaction<{}, {}>>().toExtend<DrizzleTransaction<SQL>>()
  expectTypeOf(sql).toExtend<DrizzleTag<SQL>>()
  expectTypeOf<Prisma.TransactionClient>().toExtend<PrismaTransaction>()
})
