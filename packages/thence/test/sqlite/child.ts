/**
 * What the processes that tests start do: `migrate`, `append`, `journal` or `fill`, on the store whose path they are given.
 */
import { fsyncSync, openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import type { Database } from '../../src/ports/database.ts'
import type { NewMessage } from '../../src/ports/events.ts'

const runtime = systemRuntime()
const say = (line: string): void => void writeSync(1, `${line}\n`)

const connect = async (path: string): Promise<Database> => {
  const database = sqlite({ database: new DatabaseSync(path), busyTimeout: 20_000 })
  await database.open(runtime)
  return database
}

const message = (id: string): NewMessage => ({
  id,
  kind: 'event',
  type: 'Happened',
  schemaVersion: 1,
  data: JSON.stringify({ id }),
  correlationId: null,
  causationId: null,
  metadata: null,
  tags: ['all', id],
  time: runtime.now(),
})

/** Prints how many migrations it applied. */
const migrate = async (path: string): Promise<void> => {
  const database = await connect(path)
  say(String((await database.migrate()).pending.length))
  await database.close()
}

/** Appends one by one to a stream of its own and to a shared one; prints each place it was given. */
const append = async (path: string, name: string, count: string): Promise<void> => {
  const database = await connect(path)
  for (let index = 0; index < Number(count); index += 1) {
    const stream = index % 2 === 0 ? 'shared' : name
    const id = `${name}-${index}`
    const [verdict] = await database.append([{ stream, messages: [message(id)] }])
    say(JSON.stringify({ id, ...verdict }))
  }
  await database.close()
}

/** Appends batches for ever; writes down, past the page cache, what it begins and what was acknowledged. */
const journal = async (path: string, notes: string, name: string): Promise<void> => {
  const file = openSync(notes, 'a')
  const note = (line: string): void => {
    writeSync(file, `${line}\n`)
    fsyncSync(file)
  }
  const database = await connect(path)
  for (let batch = 0; ; batch += 1) {
    const ids = Array.from({ length: 20 }, (_, index) => `${name}-${batch}-${index}`)
    note(`begun ${ids.join(' ')}`)
    const requests = ids.map((id, index) => ({ stream: `s${index % 3}`, messages: [message(id)] }))
    const verdicts = await database.append(requests)
    if (verdicts.some(({ outcome }) => outcome !== 'appended')) process.exit(2)
    note(`stored ${ids.join(' ')}`)
    say(String(batch))
  }
}

/** Appends until that fails; prints what was acknowledged, and then what failed and how. */
const fill = async (path: string): Promise<void> => {
  // A file that may not grow is an error of the write, not the end of the process.
  process.on('SIGXFSZ', () => undefined)
  const database = await connect(path)
  for (let index = 0; ; index += 1) {
    const id = `f-${index}`
    const failed = await database.append([{ stream: 'filled', messages: [message(id)] }]).then(
      () => undefined,
      (error: { code?: unknown; cause?: { errcode?: unknown } }) => error,
    )
    say(JSON.stringify({ id, code: failed?.code, errcode: failed?.cause?.errcode }))
    if (failed !== undefined) return
  }
}

const tasks: Readonly<Record<string, (...parameters: string[]) => Promise<void>>> = {
  migrate,
  append,
  journal,
  fill,
}

const [task = '', ...parameters] = process.argv.slice(2)
await tasks[task]?.(...parameters)
