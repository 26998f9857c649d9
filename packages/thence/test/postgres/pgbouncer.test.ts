// Through PgBouncer in transaction mode, where two transactions of one client may run in different sessions of the server: the store keeps its
// promises, nothing of it stays behind, and what cannot work there is noticed.
import { randomUUID } from 'node:crypto'
import { app, event, plain } from 'thence'
import { cases, makeFrom, ManualRuntime } from 'thence/conformance'
import { postgres, type PostgresPool } from 'thence/postgres'
import { Pool, type PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import { type Pooler, startPgBouncer, withoutPgBouncer } from '../kit/pgbouncer.ts'

const until = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 25_000, interval: 5 })

const notHere = withoutPgBouncer === undefined ? '' : ` (not here: ${withoutPgBouncer})`

describe.skipIf(withoutPgBouncer !== undefined)(
  `through PgBouncer in transaction mode${notHere}`,
  () => {
    let pooler: Pooler
    let direct: Pool
    beforeAll(async () => {
      pooler = await startPgBouncer(inject('postgres'))
      direct = new Pool({ connectionString: pooler.direct, max: 2 })
    })
    afterAll(async () => {
      await direct.end()
      await pooler.stop()
    })

    const pool = () => new Pool({ connectionString: pooler.url, max: 8 })
    const named = () => `t_${randomUUID().replaceAll('-', '')}`

    /** Advisory locks in this database that anyone holds or waits for. */
    const locks = async (): Promise<number> => {
      const { rows } = await direct.query<{ count: number }>(
        "SELECT count(*)::integer AS count FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND d.datname = current_database()",
      )
      return rows[0]!.count
    }

    const make = makeFrom(() => {
      const schema = named()
      return {
        connect: (options) =>
          postgres({
            clock: 'runtime',
            pool: pool(),
            transactionTimeout: 1e12,
            ...options,
            schema,
          }),
        dispose: async () =>
          void (await direct.query(`DROP SCHEMA IF EXISTS ${schema}, ${schema}_views CASCADE`)),
      }
    })

    it.each(['database', 'events', 'leases', 'checkpoints'])(
      'the promises of %s hold, and no lock stays behind',
      async (port) => {
        const capabilities = {
          sql: true,
          durable: true,
          shared: true,
          notifies: true,
          remote: true,
        }
        const wanted = cases.filter(
          (one) => one.port === port && one.requires?.(capabilities) === undefined,
        )
        const failed: unknown[] = []
        const line = [...wanted]
        const work = async (): Promise<void> => {
          for (let next = line.pop(); next !== undefined; next = line.pop()) {
            const { name } = next
            await next.run(make).catch((error: unknown) => failed.push({ name, error }))
          }
        }
        await Promise.all([work(), work(), work(), work()])
        expect(failed).toEqual([])
        expect(wanted.length).toBeGreaterThan(5)
        expect(await locks()).toBe(0)
      },
      120_000,
    )

    it('an app handles what another one appends, by looking', async () => {
      const Noted = event('Noted', plain<{ n: number }>())
      const schema = named()
      const handled: number[] = []
      const start = () => app({ database: postgres({ pool: pool(), schema }) }).messages(Noted)
      await using writer = await start().start()
      await using _reader = await start()
        .handle('ear', Noted, ({ data }) => void handled.push(data.n))
        .start()
      for (let n = 0; n < 20; n += 1) await writer.append({ stream: 's', events: [Noted({ n })] })
      await until(() => expect(handled).toEqual(Array.from({ length: 20 }, (_, n) => n)))
    })

    it('where names lead in SQL of the user stays in its transaction', async () => {
      const schema = named()
      const database = postgres({ pool: pool(), schema })
      onTestFinished(() => database.close())
      await database.open(new ManualRuntime())
      await database.migrate()
      const through = pool()
      onTestFinished(() => through.end())
      const path = async (): Promise<string> =>
        (await through.query<{ search_path: string }>('SHOW search_path')).rows[0]!.search_path
      const before = await path()
      await database.transact(({ sql }) => sql.run('CREATE TABLE kept (x integer)'))
      // As many at once as the pool has connections: each session of the server that the transaction may have had.
      const paths = await Promise.all(Array.from({ length: 8 }, path))
      expect(new Set(paths)).toEqual(new Set([before]))
      const { rows } = await direct.query('SELECT to_regclass($1) IS NOT NULL AS kept', [
        `${schema}_views.kept`,
      ])
      expect(rows).toEqual([{ kept: true }])
    })

    it('a connection of the pooler is not listened to, one of the server is', async () => {
      const through = pool()
      const gone = vi.fn<() => void>()
      through.on('remove', gone)
      const schema = named()
      const runtime = new ManualRuntime()
      const pooled = postgres({ pool: through, schema })
      onTestFinished(() => pooled.close())
      await pooled.open(runtime)
      await pooled.migrate()
      const listening = pooled.listen!({ heard: () => undefined, lost: () => undefined })
      // The one that was tried.
      await until(() => expect(gone).toHaveBeenCalled())
      expect(listening.live).toBe(false)

      const listen = new Pool({ connectionString: pooler.direct, max: 1 })
      const heard: (number | undefined)[] = []
      const hearing = postgres({ pool: pool(), schema, listen })
      onTestFinished(() => hearing.close())
      await hearing.open(runtime)
      hearing.listen!({ heard: (head) => void heard.push(head), lost: () => undefined })
      await until(() => expect(heard).toEqual([undefined]))
      await pooled.append([{ stream: 's', messages: [message('a')] }])
      await until(() => expect(heard).toEqual([undefined, 1]))
    })

    it('a client that is cut in the middle of a transaction leaves no lock behind', async () => {
      const own = pool()
      let last: PoolClient | undefined
      const caught: PostgresPool = {
        connect: async () => (last = await own.connect()),
        on: (name, listener) => own.on(name, listener),
        end: () => own.end(),
      }
      const database = postgres({ pool: caught, schema: named(), listen: false })
      onTestFinished(() => database.close())
      await database.open(new ManualRuntime())
      await database.migrate()
      const cut = database.transact(async ({ events }) => {
        await events.append({ stream: 's', messages: [message('a')] })
        expect(await locks()).toBe(2)
        last!.connection.stream.destroy()
        await events.head()
      })
      await expect(cut).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await until(async () => expect(await locks()).toBe(0))
      const [verdict] = await database.append([{ stream: 's', messages: [message('a')] }])
      expect(verdict).toMatchObject({ outcome: 'appended', position: 1 })
    })
  },
)
