// What the processes of these tests do: `worker` runs the bank until it is ended, `counter` takes deposits and writes
// down, past the page cache, which were acknowledged.
import { appendFileSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { isThenceError, systemRuntime } from 'thence'
import type { Database, Duration } from 'thence'
import { bank, counter, MakeDeposit } from './bank.ts'
import type { Tally } from './place.ts'
import { isServer, newTally, openAt, paceAt, tallied } from './place.ts'

const say = (line: string): void => void writeSync(1, `${line}\n`)
const runtime = systemRuntime()
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void runtime.after(milliseconds, resolve))

/** Starts an app, and again if the server is away just then. */
const started = async <T>(start: (database: Database) => Promise<T>, path: string): Promise<T> => {
  for (;;) {
    try {
      return await start(openAt(path))
    } catch (error) {
      if (!isServer(path) || !isThenceError(error) || !error.retryable) throw error
      await pause(20)
    }
  }
}

/** Tells what it did outside of the store, and takes a moment, so that an end can come in the middle. */
const worker = async (path: string, notes: string, leaseTime: Duration): Promise<void> => {
  const outside = async (id: string): Promise<void> => {
    appendFileSync(notes, `${id}\n`)
    await pause(2)
  }
  const running = await started((database) => bank(database, { outside, leaseTime }).start(), path)
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

/** How many deposits each account may have, where the killer says so: else between two kills most commits would be certain. */
const allowed = (journal: string): number => {
  const file = `${journal}.allowed`
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : Infinity
}

/** One that was not acknowledged, or whose outcome is unknown, is sent again under the same id until it is. */
const take = async (
  app: Awaited<ReturnType<ReturnType<typeof counter>['start']>>,
  deposit: { readonly account: string; readonly n: number },
  { refused, why }: Tally,
): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await app.send(MakeDeposit(deposit, { id: `${deposit.account}/${deposit.n}` }))
      return tries
    } catch (error) {
      if (!isThenceError(error) || !error.retryable) throw error
      const times = (refused[error.code] ?? 0) + 1
      refused[error.code] = times
      why[error.code] = error.message
      if (times === 1) say(`refused ${error.code}`)
      await pause(20)
    }
  }
}

const count = async (path: string, journal: string, accounts: readonly string[]): Promise<void> => {
  const file = openSync(journal, 'a')
  const tally = newTally()
  const app = await started((database) => counter(tallied(database, tally)).start(), path)
  let ended = false
  process.once('SIGTERM', () => void (ended = true))
  say('ready')
  const deposits = async (account: string): Promise<void> => {
    for (let n = 1; !ended; n += 1) {
      while (n > allowed(journal) && !ended) await pause(5)
      await take(app, { account, n }, tally)
      writeSync(file, `${account} ${n}\n`)
      fsyncSync(file)
      await pause(paceAt(path))
    }
  }
  await Promise.all(accounts.map(deposits))
  await app.stop()
  say(`tally ${JSON.stringify(tally)}`)
  say('done')
  process.exit(0)
}

const [task, ...parameters] = process.argv.slice(2)
if (task === 'worker')
  await worker(parameters[0] ?? '', parameters[1] ?? '', (parameters[2] ?? '5s') as Duration)
else await count(parameters[0] ?? '', parameters[1] ?? '', parameters.slice(2))
