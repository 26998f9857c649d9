// A pool of `pg` fits the shape that the adapter declares, without a cast.
import { Pool } from 'pg'
import { postgres, type PostgresPool } from 'thence/postgres'
import { expectTypeOf, test } from 'vitest'

test('a pool of pg is taken as it is', () => {
  expectTypeOf<Pool>().toExtend<PostgresPool>()
  expectTypeOf(postgres).toBeCallableWith({ pool: new Pool() })
})
