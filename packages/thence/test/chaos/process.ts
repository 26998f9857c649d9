// What the processes of these tests do: `worker` runs the bank until it is ended, `counter` takes deposits and writes
// down, past the page cache, which were acknowledged.
import { appendFileSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isThenceError, systemRuntime } from 'thence'
import type { Database, Duration } from 'thence'
import { sqlite } from 'thence/sqlite'
import { bank, counter, MakeDeposit } from './bank.ts'

const say = (line: string): void => void writeSync(1, `${line}\n`)
const runtime = systemRuntime()
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void runtime.after(milliseconds, resolve))

const open = (path: string): Database =>
  sqlite({ database: new DatabaseSync(path), busyTimeout: 20_000 })

/** Tells what it did outside of the store, and takes a moment, so that an end can come in the middle. */
const worker = async (path: string, notes: string, leaseTime: Duration): Promise<void> => {
  const outside = async (id: string): Promise<void> => {
    appendFileSync(notes, `${id}\n`)
    await pause(2)
  }
  const running = await bank(open(path), { outside, leaseTime }).start()
  running.listen((signal) => {
    if (
      signal.name === 'lease-lost' ||
      signal.name === 'message-failed' ||
      signal.name === 'message-parked'
    )
      say(signal.name)
  })
  process.once('SIGTERM', () => {
    const begun = process.hrtime.bigint()
    void running.stop({ deadline: '5s' }).then(() => {
      say(`stopped ${Number(process.hrtime.bigint() - begun) / 1e6}`)
      process.exit(0)
    })
  })
  say('ready')
}

/** One that was not acknowledged, or whose outcome is unknown, is sent again under the same id until it is. */
const take = async (
  app: Awaited<ReturnType<ReturnType<typeof counter>['start']>>,
  deposit: { readonly account: string; readonly n: number },
): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await app.send(MakeDeposit(deposit, { id: `${deposit.account}/${deposit.n}` }))
      return tries
    } catch (error) {
      if (!isThenceError(error) || !error.retryable) throw error
      await pause(20)
    }
  }
}

const count = async (path: string, journal: string, accounts: string): Promise<void> => {
  const file = openSync(journal, 'a')
  const app = await counter(open(path)).start()
  let ended = false
  process.once('SIGTERM', () => void (ended = true))
  say('ready')
  const deposits = async (account: string): Promise<void> => {
    for (let n = 1; !ended; n += 1) {
      await take(app, { account, n })
      writeSync(file, `${account} ${n}\n`)
      fsyncSync(file)
      await pause(15)
    }
  }
  await Promise.all(Array.from({ length: Number(accounts) }, (_, index) => deposits(`a${index}`)))
  await app.stop()
  say('done')
  process.exit(0)
}

const [task, ...parameters] = process.argv.slice(2)
if (task === 'worker')
  await worker(parameters[0] ?? '', parameters[1] ?? '', (parameters[2] ?? '5s') as Duration)
else await count(parameters[0] ?? '', parameters[1] ?? '', parameters[2] ?? '1')
