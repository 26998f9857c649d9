// A replay on the command line: what it would do, a job that waits for an app, one that is watched, and what is refused.
import { DatabaseSync } from 'node:sqlite'
import { app, event, handler, plain as typed } from 'thence'
import { sqlite } from 'thence/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk } from '../kit/desk.ts'

const Rung = event('Rung', typed<{ n: number }>())
const patient = { timeout: 120_000 }

/** A store whose handler has done so many messages, over two streams. */
const rung = async (count: number) => {
  const { file, cli, jsonOf, remove } = desk()
  onTestFinished(remove)
  const again: number[] = []
  const run = () =>
    app({ database: sqlite({ database: new DatabaseSync(file) }), logger: false })
      .use(
        handler('ear', Rung, {
          replay: 'idempotent',
          run: ({ data: { n } }, { replaying }) => void (replaying && again.push(n)),
        }),
        handler('once', Rung, () => undefined),
      )
      .start()
  {
    await using tower = await run()
    for (let n = 1; n <= count; n += 1)
      await tower.append({ stream: n % 2 === 0 ? 'even' : 'odd', events: Rung({ n }) })
    await tower.whenIdle()
  }
  return { again, run, cli, jsonOf }
}

describe('a replay', patient, () => {
  test('is planned without changing anything', async () => {
    const { cli, jsonOf } = await rung(6)
    expect((await cli('replay', 'ear', '--dry-run')).stdout).toBe(
      'This would give 6 messages to ear again, up to position 6.\n',
    )
    const some = ['replay', 'ear', '--from', '2', '--to', '5', '--stream', 'even', '--dry-run']
    expect(await jsonOf(...some)).toEqual({
      handler: 'ear',
      total: 2,
      exact: true,
      through: 5,
      waits: 'no app runs',
    })
    const byKey = await cli('replay', 'ear', '--key', 'even', '--since', '--dry-run')
    expect(byKey.code).toBe(2)
    const keyed = await cli('replay', 'ear', '--key', 'even', '--from', '1h', '--dry-run')
    expect(keyed.stdout).toContain('at most 6 messages')
    expect(keyed.stderr).toContain('Only the app knows the keys')
    expect((await jsonOf('jobs', 'list')).jobs).toEqual([])
  })

  test('is begun for whichever app starts next, and done by it', async () => {
    const { again, run, cli, jsonOf } = await rung(6)
    const words = ['replay', 'ear', '--key', 'even', '--reason', 'the bell was mended']
    const unsure = await cli(...words)
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('--yes')])
    const begun = await cli(...words, '--yes', '--as', 'ann')
    expect(plain(begun.stdout)).toBe(
      'replay job UUID is waiting: 0 went through.\nIt waits: no app runs.',
    )
    const tower = await run()
    const [{ id }] = (await jsonOf('jobs', 'list', '--kind', 'replay')).jobs
    const watched = await cli('jobs', 'watch', id)
    expect(plain(watched.stdout)).toBe('replay job UUID is done: 3 went through.')
    await tower.stop()
    expect(again).toEqual([2, 4, 6])
    const { entries } = await jsonOf('audit', 'list', '--action', 'job.start')
    expect(entries).toMatchObject([{ actor: 'ann', target: id, reason: 'the bell was mended' }])
  })

  test('is watched to its end where an app runs, at the rate that was said', async () => {
    const { again, run, jsonOf } = await rung(6)
    await using _tower = await run()
    const job = await jsonOf(
      'replay',
      'ear',
      '--type',
      'Rung',
      '--rate',
      '50/s',
      '--yes',
      '--watch',
    )
    expect(job).toMatchObject({ kind: 'replay', state: 'done', total: 6, ended: 6, left: null })
    expect(job.spec).toMatchObject({ handler: 'ear', rate: 50, inFlight: 100, stopAfter: 10 })
    expect(new Set(again)).toEqual(new Set([1, 2, 3, 4, 5, 6]))
  })

  test('is refused where what was said may have been removed, unless one insists', async () => {
    const { cli, jsonOf } = await rung(6)
    const words = ['--stream', 'odd', '--older-than', '1ms', '--force'] as const
    expect((await cli('retention', 'run', ...words)).code).toBe(0)
    const refused = await cli('replay', 'ear', '--dry-run')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^HISTORY_TRUNCATED .*position 2,.* of odd .*--truncated/),
    ])
    expect(await jsonOf('replay', 'ear', '--from', '6', '--dry-run')).toMatchObject({ total: 1 })
    const insisted = await jsonOf('replay', 'ear', '--truncated', '--yes')
    expect(insisted).toMatchObject({ total: 3, spec: { truncated: true } })
  })

  test('is refused with what to do', async () => {
    const { cli } = await rung(1)
    const once = await cli('replay', 'once', '--yes')
    expect([once.code, once.stderr]).toEqual([1, expect.stringMatching(/^REPLAY_REFUSED .*marked/)])
    const unknown = await cli('replay', 'eer', '--yes')
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringMatching(/^NOT_FOUND/)])
    const type = await cli('replay', 'ear', '--type', 'Rang', '--yes')
    expect(type.stderr).toContain('takes no "Rang"; it takes Rung')
  })
})
