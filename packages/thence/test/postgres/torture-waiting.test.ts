// The torture kit tells who waits from who is only slow: a session that was given its lock and has not had its turn yet does not wait any more. On a server
// of its own, whose process is stopped to make it that slow.
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { Waiting } from '../../src/conformance/torture/waiting.ts'
import { startServer } from '../kit/postgres-server.ts'

test('a session that was given its lock is awaited, however slow it is', async () => {
  const server = await startServer()
  onTestFinished(() => server.stop())
  const open = async (name: string): Promise<Client> => {
    const client = new Client({ connectionString: server.url, application_name: name })
    onTestFinished(() => client.end())
    await client.connect()
    return client
  }
  const [holder, waiter, watcher] = [await open('store'), await open('store'), await open('kit')]
  const { rows } = await waiter.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const { pid } = rows[0]!
  const session = {
    query: (text: string, values: readonly unknown[] = []) => watcher.query(text, [...values]),
    close: () => watcher.end(),
  }
  const waiting = new Waiting({ patience: 20_000, ask: { session, application: 'store' } })

  await holder.query('SELECT pg_advisory_lock(1)')
  const given = waiter.query('SELECT pg_advisory_lock(1)')
  waiting.watch(waiter, given)
  await waiting.calm()
  process.kill(pid, 'SIGSTOP')
  onTestFinished(() => void process.kill(pid, 'SIGCONT'))
  await holder.query('SELECT pg_advisory_unlock(1)')
  let calm = false
  const later = waiting.calm().then(() => (calm = true))
  for (let looks = 0; looks < 200; looks += 1) await watcher.query('SELECT 1')
  expect(calm).toBe(false)
  process.kill(pid, 'SIGCONT')
  await later
  await given
})
