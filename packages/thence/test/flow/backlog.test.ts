// Memory does not grow with the backlog: a process with a small heap follows a log that would not fit into it.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { app } from 'thence'
import { sqlite } from 'thence/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { Filed } from '../kit/backlog.ts'

const backlogs = [
  { what: '40,000 messages of 400 bytes', messages: 40_000, size: 400, batch: 1000, heap: 32 },
  { what: '300 messages of a megabyte', messages: 300, size: 1_000_000, batch: 10, heap: 64 },
]

test.each(backlogs)(
  'a backlog of $what is followed with a heap of $heap MB',
  { timeout: 60_000 },
  async ({ messages, size, batch, heap }) => {
    const directory = mkdtempSync(join(tmpdir(), 'thence-backlog-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const path = join(directory, 'store.db')
    const database = sqlite({ database: new DatabaseSync(path), synchronous: 'off' })
    const writer = await app({ database, logger: false }).messages(Filed).start()
    const text = 'x'.repeat(size)
    for (let n = 0; n < messages; n += batch)
      await writer.append({
        events: Array.from({ length: batch }, (_, of) => Filed({ n: n + of, text })),
      })
    await writer.stop()
    const script = join(import.meta.dirname, '../kit/backlog.ts')
    const flags = [`--max-old-space-size=${heap}`, '--conditions=thence-source', script, path]
    const { stdout } = await promisify(execFile)(process.execPath, flags)
    expect(JSON.parse(stdout)).toEqual({
      sum: (messages * (messages - 1)) / 2,
      handled: messages,
    })
  },
)
