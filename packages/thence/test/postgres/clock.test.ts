// By default the clock of the server decides, whatever that of the process says.
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

it('timers, leases and retries go by the clock of the server', async () => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const database = place.connect({ clock: 'database' })
  onTestFinished(() => database.close())
  // A process whose clock is in the past.
  await database.open(virtualRuntime())
  await database.migrate()
  const pool = place.pool()
  onTestFinished(() => pool.end())
  const server = async (): Promise<number> => {
    const { rows } = await pool.query<{ now: string }>(
      'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS now',
    )
    return Number(rows[0]?.now)
  }
  const before = await server()
  const told = await database.transact(async ({ timers, leases, retries }) => {
    const [member] = await leases.beat({ id: 'a', name: 'a', runs: [] }, 1000)
    await retries.put({
      subscription: 's',
      key: 'k',
      hash: 0,
      position: 1,
      messageId: 'm',
      state: 'queued',
      attempts: 0,
      due: 0,
      history: [],
    })
    return [await timers.now(), member?.started, (await retries.find('s', 1))?.due]
  })
  const after = await server()
  for (const time of told) {
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(after)
  }
})
