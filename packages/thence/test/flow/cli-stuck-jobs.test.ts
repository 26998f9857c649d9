// Jobs that cannot move, on the command line: told when they are begun and wherever they are shown, and given up.
import { DatabaseSync } from 'node:sqlite'
import { app, event, handler, plain as typed } from 'thence'
import { sqlite } from 'thence/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk } from '../kit/desk.ts'

const Rung = event('Rung', typed<{ bell: string; n: number }>())
const Heard = event('Heard', typed<object>())
const patient = { timeout: 120_000 }

/** A store in which messages of handler `ear` are parked, and an app that has it no more. */
const deaf = async () => {
  const { file, cli, jsonOf, remove } = desk()
  onTestFinished(remove)
  const open = () => app({ database: sqlite({ database: new DatabaseSync(file) }), logger: false })
  const ear = handler('ear', Rung, {
    key: ({ data }) => data.bell,
    replay: 'idempotent',
    retry: { attempts: 1 },
    run: ({ data }) => {
      if (data.n > 1) throw new Error('too loud')
    },
  })
  {
    await using hearing = await open().use(ear).start()
    await hearing.append({
      events: [1, 2, 3].map((n) => Rung({ bell: `b${n}`, n })),
    })
    await hearing.whenIdle()
  }
  const mouth = handler('mouth', Heard, () => undefined)
  return { start: () => open().use(mouth).messages(Rung).start(), cli, jsonOf }
}

describe('a job whose handler no running app has', patient, () => {
  test('is told when it is begun, waits, and is given up', async () => {
    const { start, cli, jsonOf } = await deaf()
    await using _app = await start()
    const dry = await cli('dead-letters', 'redrive', '--all', '--dry-run')
    const nobody = 'No running app has handler ear: its messages wait until one does.'
    expect(dry.stderr).toContain(nobody)
    expect(await jsonOf('dead-letters', 'redrive', '--all', '--dry-run')).toMatchObject({
      total: 2,
      absent: ['handler ear'],
    })
    const begun = await cli('dead-letters', 'redrive', '--all', '--yes', '--as', 'ann')
    expect({ code: begun.code, stdout: plain(begun.stdout) }).toEqual({
      code: 0,
      stdout:
        'redrive job UUID is waiting: 0 of 2 went through.\nIt waits: no running app has handler ear.',
    })
    expect(begun.stderr).toContain(nobody)
    const { jobs } = await jsonOf('jobs', 'list', '--state', 'running')
    expect(jobs).toMatchObject([{ state: 'waiting', waits: 'no running app has handler ear' }])
    const [{ id }] = jobs
    expect(plain((await cli('jobs', 'show', id)).stdout)).toMatchInlineSnapshot(`
      "redrive job UUID is waiting: 0 of 2 went through.
      It waits: no running app has handler ear.
      began  TIME (WHEN)
      by  ann
      moved  TIME (WHEN)
      asked  {"filter":{},"limit":null,"canary":true,"rate":null,"stopAfter":5,"stopShare":0.2,"inFlight":500,"until":TIME}"
    `)
    expect(await jsonOf('jobs', 'show', id)).toMatchObject({
      state: 'waiting',
      waits: 'no running app has handler ear',
    })
    expect(plain((await cli('jobs', 'list')).stdout)).toContain(
      '0 of 2 went through. It waits: no running app has handler ear.',
    )
    expect(plain((await cli('status')).stdout)).toContain('redrive  waiting  0 of 2')
    expect((await jsonOf('status')).jobs).toMatchObject([{ id, state: 'waiting' }])
    const watched = await cli('jobs', 'watch', id)
    expect(watched.code).toBe(0)
    expect(watched.stderr).toContain('It goes on when an app starts that has it.')
    expect(plain((await cli('jobs', 'cancel', id)).stdout)).toBe(
      'redrive job UUID is cancelled: 0 of 2 went through.',
    )
    expect((await jsonOf('status')).deadLetters).toMatchObject({ parked: 2, redriven: 0 })
  })

  test('one letter is sent all the same, and it is told that nobody takes it', async () => {
    const { start, cli, jsonOf } = await deaf()
    await using _app = await start()
    const [one, two] = (await jsonOf('dead-letters', 'list')).deadLetters
    const sent = await cli('dead-letters', 'redrive', one.id)
    expect(sent.stderr).toContain('It waits: no running app has handler ear.')
    expect(await jsonOf('dead-letters', 'redrive', two.id)).toMatchObject({
      waits: 'no running app has handler ear',
    })
  })

  test('a replay says so before it is begun and after', async () => {
    const { start, cli, jsonOf } = await deaf()
    await using _app = await start()
    const dry = await cli('replay', 'ear', '--dry-run')
    expect(dry.stderr).toContain('It would wait: no running app has handler ear.')
    const begun = await cli('replay', 'ear', '--yes')
    expect(plain(begun.stdout)).toContain('replay job UUID is waiting: 0 of 3 went through.')
    expect(begun.stdout).toContain('It waits: no running app has handler ear.')
    const [{ id }] = (await jsonOf('jobs', 'list', '--kind', 'replay')).jobs
    expect(await jsonOf('jobs', 'cancel', id)).toMatchObject({ state: 'cancelled', waits: null })
  })
})
