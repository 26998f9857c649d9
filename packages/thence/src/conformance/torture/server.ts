/**
 * Traps that need sessions beside the store: what else goes on in the server, and connections that are cut.
 */
import type { Stage } from './stage.ts'
import type { TortureSession } from './subject.ts'
import { NotDriven, type Trap } from './trap.ts'

/** How long a feed may wait for what has nothing to do with it, in milliseconds. */
const stallsAfter = 1500

/** A write transaction that has nothing to do with the store is open while events are appended and read. */
const besideForeign = async (stage: Stage, foreign: TortureSession): Promise<void> => {
  await foreign.query('BEGIN')
  await foreign.query('SELECT pg_current_xact_id()')
  try {
    const [player, reader] = [await stage.player(), await stage.subscriber()]
    void player.append('s', 'beside 1')
    void player.append('s', 'beside 2')
    await stage.done()
    if (!(await reader.drain([...stage.ledger.written], stallsAfter)))
      stage.blame(
        'stalled',
        `nothing was given for ${stallsAfter} ms, as long as a transaction of somebody else was open`,
      )
  } finally {
    await foreign.query('ROLLBACK')
  }
}

const foreignTransaction: Trap = {
  name: 'a write transaction of somebody else is open in the same database',
  needs: ['sessions'],
  async play(stage) {
    await besideForeign(stage, await stage.session())
  },
}

const otherDatabase: Trap = {
  name: 'a write transaction is open in another database of the server',
  needs: ['sessions'],
  async play(stage) {
    const session = await stage.session()
    const name = `torture_${process.pid}_${Date.now()}`
    try {
      await session.query(`CREATE DATABASE ${name}`)
    } catch (error) {
      throw new NotDriven(`no other database could be made: ${String(error)}`)
    }
    const foreign = await stage.sessions.open(name)
    try {
      await besideForeign(stage, foreign)
    } finally {
      await foreign.close()
      await session.query(`DROP DATABASE ${name}`)
    }
  },
}

const sequenceCaches: Trap = {
  name: 'sequences hand out numbers to each session in advance',
  needs: ['sessions', 'sequences'],
  async play(stage) {
    const session = await stage.session()
    for (const sequence of stage.sessions.sequences)
      await session.query(`ALTER SEQUENCE ${sequence} CACHE 50`)
    const [one, other, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    for (let round = 1; round <= 3; round += 1) {
      for (const player of [one, other]) {
        void player.append('shared', `${player.name} ${round}`)
        await stage.calm()
        void reader.poll()
        await stage.calm()
      }
    }
    await stage.done()
  },
}

const prepared = (how: 'COMMIT' | 'ROLLBACK'): Trap => ({
  name: `a transaction that has appended is prepared, and ended later (${how.toLowerCase()})`,
  needs: ['begin', 'prepare', 'sessions'],
  async play(stage) {
    const session = await stage.session()
    const { rows } = await session.query('SHOW max_prepared_transactions')
    if (Object.values(rows[0] ?? {})[0] === '0')
      throw new NotDriven('max_prepared_transactions of the server is 0')
    const name = `torture_${process.pid}_${Date.now()}`
    const [two, quick, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    void two.begin()
    void two.append('two', 'prepared')
    void two.prepare(name)
    await stage.done()
    const found = await session.query('SELECT 1 FROM pg_prepared_xacts WHERE gid = $1', [name])
    if (found.rows.length === 0) throw new NotDriven('its transaction was not prepared')
    try {
      void quick.append('quick', 'quick 1')
      await stage.calm()
      void reader.poll()
      await stage.calm()
    } finally {
      await session.query(`${how} PREPARED '${name}'`)
    }
    if (how === 'ROLLBACK') {
      stage.ledger.written.delete('prepared')
      stage.ledger.gone.add('prepared')
    }
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
})

/** Ends sessions of the store. How many there were. */
const cut = async (stage: Stage, session: TortureSession, which: string): Promise<number> => {
  const { rows } = await session.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND ${which}`,
    [stage.sessions.application],
  )
  return rows.length
}

const holderDies: Trap = {
  name: 'the connection of an open append is cut',
  needs: ['begin', 'sessions'],
  async play(stage) {
    const session = await stage.session()
    const [holder, quick, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    void holder.begin()
    void holder.append('shared', 'never')
    await stage.calm()
    void quick.append('shared', 'quick')
    await stage.calm()
    const ended = await cut(stage, session, "state = 'idle in transaction'")
    if (ended === 0) throw new NotDriven('no open transaction of the store was found')
    void holder.abandon()
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
}

const cutWhileTold = (name: string, which: string): Trap => ({
  name,
  needs: ['follow', 'sessions'],
  async play(stage) {
    const session = await stage.session()
    const told = new Set<string>()
    const following = await stage.follow(({ id }) => void told.add(id))
    const player = await stage.player()
    try {
      for (const id of ['before', 'after', 'later']) {
        if (id === 'after' && (await cut(stage, session, which)) === 0)
          throw new NotDriven('no such session was found')
        // A connection in a pool may turn out to be dead; that is said, and the next one works.
        const client = await stage.client()
        const answer = await client.append({ stream: 's', ids: [id] })
        if (answer !== 'appended') stage.blame('failed', `${id} was not appended: ${answer}`)
        stage.ledger.written.add(id)
        if (!(await isTold(stage, told, id)))
          stage.blame('skipped', `nobody was told of "${id}" within ${stage.limits.delivery} ms`)
      }
      await player.rollback()
    } finally {
      await following.stop()
    }
  },
})

const isTold = async (stage: Stage, told: ReadonlySet<string>, id: string): Promise<boolean> => {
  const end = performance.now() + stage.limits.delivery
  while (!told.has(id)) {
    if (performance.now() > end) return false
    await new Promise((resolve) => void setTimeout(resolve, 5))
  }
  return true
}

export const serverTraps: readonly Trap[] = [
  foreignTransaction,
  otherDatabase,
  sequenceCaches,
  prepared('COMMIT'),
  prepared('ROLLBACK'),
  holderDies,
  cutWhileTold(
    'the connection that listens is cut',
    "state = 'idle' AND query ~* 'listen|pg_notify'",
  ),
  cutWhileTold('all connections of the store are cut at once', 'true'),
]
