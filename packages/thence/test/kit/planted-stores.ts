// Small event stores on PostgreSQL of designs that lose events, beside one that does not: what the torture kit must find, and what it must
// leave in peace.
import { randomUUID } from 'node:crypto'
import { Client, Pool, type PoolClient } from 'pg'
import type {
  TortureAnswer,
  TortureAppend,
  TortureClient,
  TortureEvent,
  TortureMake,
  TortureReader,
  TortureSession,
  TortureSubject,
  TortureTransaction,
} from 'thence/conformance'

/** How positions are given: by a sequence, or by one row that everybody counts up and holds to the commit. */
type Positions = 'sequence' | 'counter'

/** How a subscriber goes on. */
type Cursor =
  /** After the last position that it saw. */
  | 'position'
  /** The same, of transactions that are older than any that is open. */
  | 'position below the oldest'
  /** After the last transaction and position, of those. */
  | 'transaction and position'

export interface Design {
  readonly positions: Positions
  readonly cursor: Cursor
  /** Whether the expected version is looked up first, without a lock. Default false. */
  readonly careless?: boolean
  /** Whether it tells of new events. Default false. */
  readonly tells?: boolean
}

const tables = (schema: string, { positions, careless = false }: Design): string => `
CREATE SCHEMA ${schema};
CREATE TABLE ${schema}.counter (last bigint NOT NULL);
INSERT INTO ${schema}.counter VALUES (0);
CREATE TABLE ${schema}.streams (stream text PRIMARY KEY, version integer NOT NULL);
CREATE TABLE ${schema}.events (
  position ${positions === 'sequence' ? 'bigserial' : 'bigint'} PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id text NOT NULL,
  stream text NOT NULL,
  version integer NOT NULL
  ${careless ? '' : ', UNIQUE (stream, version)'}
);
`

interface Row {
  readonly position: string
  readonly xid: string
  readonly id: string
  readonly stream: string
  readonly version: number
}

const eventOf = ({ id, stream, version, position }: Row, { cursor }: Design): TortureEvent => ({
  id,
  stream,
  version,
  // With the other cursors the feed is not in the order of positions, and does not say that it is.
  ...(cursor === 'position' && { position: BigInt(position) }),
})

class Planted {
  readonly schema = `planted_${randomUUID().replaceAll('-', '')}`
  readonly #design: Design
  readonly #url: string

  constructor(design: Design, url: string) {
    this.#design = design
    this.#url = url
  }

  pool(max: number): Pool {
    const pool = new Pool({ connectionString: this.#url, max, application_name: this.schema })
    // Connections are cut on purpose.
    pool.on('error', () => undefined)
    pool.on('connect', (client) => client.on('error', () => undefined))
    return pool
  }

  async setUp(): Promise<void> {
    const pool = this.pool(1)
    await pool.query(tables(this.schema, this.#design))
    await pool.end()
  }

  async append(session: PoolClient, request: TortureAppend): Promise<TortureAnswer> {
    try {
      return await this.#append(session, request)
    } catch (error) {
      // A deadlock: nothing of it was done.
      if (error instanceof Error && 'code' in error && error.code === '40P01') return 'busy'
      throw error
    }
  }

  async #append(session: PoolClient, request: TortureAppend): Promise<TortureAnswer> {
    const { stream, ids } = request
    // As some do, to store it; so it has its id also while it waits for the stream.
    await session.query('SELECT pg_current_xact_id()')
    const last = await this.#versionBefore(session, request)
    if (last === undefined) return 'refused'
    for (const [index, id] of ids.entries()) {
      const values = [id, stream, last + index + 1]
      await session.query(
        this.#design.positions === 'sequence'
          ? `INSERT INTO ${this.schema}.events (id, stream, version) VALUES ($1, $2, $3)`
          : `WITH next AS (UPDATE ${this.schema}.counter SET last = last + 1 RETURNING last)
             INSERT INTO ${this.schema}.events (position, id, stream, version) SELECT last, $1, $2, $3 FROM next`,
        values,
      )
    }
    return 'appended'
  }

  /** Undefined if it is not the one that was expected. */
  async #versionBefore(
    session: PoolClient,
    { stream, ids, expected }: TortureAppend,
  ): Promise<number | undefined> {
    if (this.#design.careless === true && expected !== undefined) {
      const { rows } = await session.query(
        `SELECT count(*)::integer AS version FROM ${this.schema}.events WHERE stream = $1`,
        [stream],
      )
      return rows[0].version === expected ? expected : undefined
    }
    const { rows } = await session.query(
      `INSERT INTO ${this.schema}.streams VALUES ($1, $2)
       ON CONFLICT (stream) DO UPDATE SET version = streams.version + $2 RETURNING version - $2 AS version`,
      [stream, ids.length],
    )
    const last = Number(rows[0].version)
    return expected === undefined || expected === last ? last : undefined
  }

  async begin(pool: Pool): Promise<TortureTransaction> {
    const session = await pool.connect()
    await session.query('BEGIN')
    const end = async (text: string): Promise<void> => {
      try {
        await session.query(text)
        session.release()
      } catch (error) {
        session.release(true)
        throw error
      }
    }
    return {
      append: (request) => this.append(session, request),
      touch: () => session.query('SELECT pg_current_xact_id()'),
      async savepoint() {
        await session.query('SAVEPOINT one')
        const query = async (text: string): Promise<void> => void (await session.query(text))
        return {
          keep: () => query('RELEASE SAVEPOINT one'),
          undo: () => query('ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one'),
        }
      },
      prepare: (name) => end(`PREPARE TRANSACTION '${name}'`),
      commit: () => end('COMMIT'),
      rollback: () => end('ROLLBACK'),
    }
  }

  reader(pool: Pool): TortureReader {
    const { cursor } = this.#design
    const older = cursor === 'position' ? '' : 'AND xid < pg_snapshot_xmin(pg_current_snapshot())'
    // Named with its table: the answer has a text of the same name, in whose order '10' comes before '9'.
    const [after, order] =
      cursor === 'transaction and position'
        ? ['(xid, position) > ($1::text::xid8, $2)', 'events.xid, position']
        : ["position > $2 AND $1 <> ''", 'position']
    let last = { xid: '0', position: '0' }
    return {
      next: async (limit) => {
        const { rows } = await pool.query<Row>(
          `SELECT position, xid::text, id, stream, version FROM ${this.schema}.events
           WHERE ${after} ${older} ORDER BY ${order} LIMIT $3`,
          [last.xid, last.position, limit],
        )
        last = rows.at(-1) ?? last
        return rows.map((row) => eventOf(row, this.#design))
      },
    }
  }

  async connect(): Promise<TortureClient> {
    const pool = this.pool(2)
    return {
      append: async (request) => {
        const transaction = await this.begin(pool)
        try {
          const answer = await transaction.append(request)
          await (answer === 'appended' ? transaction.commit() : transaction.rollback())
          for (const id of request.ids)
            await pool.query('SELECT pg_notify($1, $2)', [this.schema, id])
          return answer
        } catch (error) {
          await transaction.rollback()
          throw error
        }
      },
      reader: () => this.reader(pool),
      begin: () => this.begin(pool),
      close: () => pool.end(),
    }
  }

  /** Listens and looks, and never notices that its connection is gone. */
  async follow(told: (event: TortureEvent) => void): Promise<{ stop(): Promise<void> }> {
    const options = { connectionString: this.#url, application_name: this.schema }
    const client = new Client(options)
    client.on('error', () => undefined)
    client.on('notification', ({ payload = '' }) => told({ id: payload, stream: '' }))
    await client.connect()
    await client.query(`LISTEN ${this.schema}`)
    return { stop: () => client.end() }
  }

  async session(database?: string): Promise<TortureSession> {
    const at = new URL(this.#url)
    if (database !== undefined) at.pathname = `/${database}`
    const client = new Client(at.href)
    await client.connect()
    return {
      query: (text, values) => client.query(text, values && [...values]),
      close: () => client.end(),
    }
  }
}

/** A store of this design on the server at `url`. */
export const planted =
  (design: Design, url: string): TortureMake =>
  async (): Promise<TortureSubject> => {
    const store = new Planted(design, url)
    await store.setUp()
    const { schema } = store
    return {
      connect: () => store.connect(),
      ...(design.tells === true && { follow: (told) => store.follow(told) }),
      sessions: {
        open: (database) => store.session(database),
        application: schema,
        sequences: design.positions === 'sequence' ? [`${schema}.events_position_seq`] : [],
      },
      async dispose() {
        const session = await store.session()
        await session.query(`SET client_min_messages = warning; DROP SCHEMA ${schema} CASCADE`)
        await session.close()
      },
    }
  }
