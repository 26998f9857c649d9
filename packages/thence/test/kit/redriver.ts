// A program that delivers letters until it is killed, or until a job has ended: `node redriver.ts FILE`. It prints a line for
// each try, and the state of a job that it saw end.
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { app, handler } from 'thence'
import { sqlite } from 'thence/sqlite'
import { Delivered, Posted } from './post-office-messages.ts'

const say = (line: string): void => void writeSync(1, `${line}\n`)

const carrier = handler('carrier', Posted, {
  key: ({ data }) => data.to,
  retry: { attempts: 1 },
  run: ({ data }, { append }) => {
    say(`try ${data.n}`)
    append('round', Delivered(data))
  },
})

const main = async (path: string): Promise<void> => {
  const ended = Promise.withResolvers<void>()
  const database = sqlite({ database: new DatabaseSync(path) })
  await using running = await app({ database, logger: false })
    .use(carrier)
    .messages(Delivered)
    .start()
  running.listen((signal) => {
    if (signal.name !== 'job-ended') return
    say(`ended ${signal.state}`)
    ended.resolve()
  })
  await ended.promise
}

if (import.meta.main) await main(process.argv[2] ?? '')
