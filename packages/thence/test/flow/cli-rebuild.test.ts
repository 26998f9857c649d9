// Rebuilding a view with the command while an app runs beside it, and while none does.
import { DatabaseSync } from 'node:sqlite'
import type { App, Projection, Signal } from 'thence'
import { app } from 'thence'
import { sqlite } from 'thence/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { plain, watching } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import type { Code } from '../kit/summing.ts'
import { newCode, Paid, pay, Sums, sums, sumTable, total } from '../kit/summing.ts'

const place = () => {
  const { file, cli, jsonOf, remove } = desk()
  onTestFinished(remove)
  return {
    file,
    cli,
    jsonOf,
    run: (projected: Projection<'Sums'>) =>
      app({ database: sqlite({ database: new DatabaseSync(file) }), logger: false })
        .use(projected)
        .messages(Paid)
        .start(),
  }
}

type Running = App<never, 'Sums'>

const told = (running: Running, name: Signal['name']) =>
  new Promise<unknown>((resolve) => {
    const stop = running.listen((signal) => {
      if (signal.name !== name) return
      stop()
      resolve(signal)
    })
  })

const filled = async (running: Running, times = 30): Promise<void> => {
  await running.append({ events: pay(times) })
  await running.whenIdle()
}

const answer = async (running: Running): Promise<number> =>
  total(await running.ask(Sums(), { timeout: 0 }))

describe('rebuild', patient, () => {
  test('a running app does it, and the command says when the new version serves', async () => {
    const { run, cli, jsonOf } = place()
    const code = newCode(2)
    await using running = await run(sums(code))
    await filled(running)
    code.factor = 1
    const { code: exit, stdout } = await cli('rebuild', 'sums')
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'Version 2 of sums serves.\n' })
    expect(await answer(running)).toBe(30)
    expect((await cli('rebuild', 'status', 'sums')).stdout).toMatch(/kept .* for 23 h$/mu)
    expect(await jsonOf('rebuild', 'start', 'sums')).toEqual({
      projection: 'sums',
      version: 3,
      state: 'serving',
      position: 30,
      through: 30,
    })
  })

  test('if no app runs it says so, and the next one does it at its start', async () => {
    const { run, cli, jsonOf } = place()
    const code = newCode(2)
    {
      await using running = await run(sums(code))
      await filled(running)
    }
    code.factor = 1
    const { code: exit, stdout, stderr } = await cli('rebuild', 'sums')
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'Version 2 of sums is asked for.\n' })
    expect(stderr).toContain('begins when the app starts')
    const again = await cli('rebuild', 'sums')
    expect(again.code).toBe(1)
    expect(again.stderr).toContain(
      'A rebuild of sums is asked for already: nothing of version 2 is built yet. To see',
    )
    const { views } = await jsonOf('rebuild', 'status')
    expect(views).toMatchObject([{ projection: 'sums', serving: 1, building: { version: 2 } }])
    await using running = await run(sums(code))
    await cli('rebuild', 'status', 'sums', '--watch')
    expect(await answer(running)).toBe(30)
  })

  test('Ctrl-C ends the watching with 130, not the rebuild', async () => {
    const { file, run } = place()
    const code = newCode()
    await using running = await run(sums(code, { batch: 1 }))
    await filled(running)
    const hold = Promise.withResolvers<void>()
    code.hold = hold.promise
    const started = told(running, 'rebuild-started')
    const switched = told(running, 'view-switched')
    const watch = watching(['rebuild', 'sums', '--db', file])
    await started
    const { code: exit, stderr } = await watch.interrupt()
    hold.resolve()
    expect(exit).toBe(130)
    expect(stderr).toContain('ABORTED  Not watched any more')
    await switched
  })

  test('a message that fails halts it, which is told, while the old version serves', async () => {
    const { run, cli, jsonOf } = place()
    const code = newCode()
    await using running = await run(sums(code))
    await running.append({ events: [...pay(20), ...pay(1, 13), ...pay(5)] })
    await running.whenIdle()
    code.refuses.add(13)
    const { code: exit, stderr } = await cli('rebuild', 'sums')
    expect(exit).toBe(1)
    expect(stderr).toContain('STATE_INVALID  The rebuild of sums halted after position 20')
    expect(stderr).toContain('thence dead-letters list --subscription sums@2')
    expect(await answer(running)).toBe(38)
    expect(plain((await cli('rebuild', 'status', 'sums')).stdout)).toContain(
      'sums  2  halted  20  6',
    )
    expect(plain((await cli('status')).stdout)).toContain('sums@2  halted at position 21')
    code.refuses.clear()
    const switched = told(running, 'view-switched')
    const { deadLetters } = await jsonOf('dead-letters', 'list', '--subscription', 'sums@2')
    await cli('dead-letters', 'redrive', deadLetters[0].id)
    await switched
    expect(await answer(running)).toBe(38)
  })

  test('is refused while one runs, and begins anew if that is wanted', async () => {
    const { run, cli } = place()
    await using running = await run(sums(newCode()))
    await filled(running)
    await cli('rebuild', 'sums', '--manual')
    const again = await cli('rebuild', 'sums')
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('A rebuild of sums is running already: version 2')
    // As it is printed.
    const printed = [...again.stderr.matchAll(/`thence ([^`]+)`/g)].map(([, words = '']) => words)
    expect(printed).toEqual([
      'rebuild status sums',
      'rebuild start sums --restart',
      'rebuild drop sums 2',
    ])
    expect((await cli(...printed[0]!.split(' '))).stdout).toContain('ready')
    const anew = await cli(...printed[1]!.split(' '))
    expect(anew.stdout).toBe('Version 3 of sums serves.\n')
    const wrong = await cli('rebuild', 'sums', '--keep', 'long')
    expect(wrong.stderr).toContain('CONFIG_INVALID  keep of a rebuild is "long"')
  })

  test('says that a view with fixed tables is rebuilt in place', async () => {
    const { run, cli } = place()
    await using running = await run(sumTable(newCode(), { fixed: true }))
    await filled(running)
    const { code, stdout, stderr } = await cli('rebuild', 'sums', '--manual')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'sums serves.\n' })
    expect(stderr).toContain('rebuilt in place')
  })
})

/** A rebuild that waits for its switch. */
const built = async (define: (code: Code) => Projection<'Sums'>) => {
  const at = place()
  const code = newCode(2)
  const running = await at.run(define(code))
  onTestFinished(() => running.stop())
  await filled(running, 7)
  code.factor = 1
  expect((await at.cli('rebuild', 'sums', '--manual', '--keep', 'forever')).stdout).toBe(
    'Version 2 of sums is built and follows the log; the one before still serves.\n',
  )
  return { ...at, code, running }
}

test(
  'a version that somebody has paused is told at once, and serves when it was resumed',
  patient,
  async () => {
    const { cli, jsonOf, running } = await built(sums)
    await cli('subscriptions', 'pause', 'sums@2', '--reason', 'the disk is full')
    const { paused: by } = await jsonOf('subscriptions', 'show', 'sums@2')
    const begin = performance.now()
    const paused = await cli('rebuild', 'switch', 'sums')
    expect(performance.now() - begin).toBeLessThan(15_000)
    expect(paused.code).toBe(1)
    expect(paused.stderr).toContain(`sums@2 is paused by ${by.actor}: the disk is full.`)
    expect(paused.stderr).toContain('it goes on with: thence subscriptions resume sums@2')
    expect(plain((await cli('rebuild', 'status')).stdout)).toContain(`paused by ${by.actor}`)
    const switched = told(running, 'view-switched')
    await cli('subscriptions', 'resume', 'sums@2')
    await switched
    expect(await answer(running)).toBe(7)
  },
)

describe.each([
  ['documents', sums],
  ['tables', sumTable],
] as const)('a version of %s that was built', patient, (kind, define) => {
  test('is compared, switched to, taken back and dropped', async () => {
    const { cli, jsonOf, running } = await built(define)
    expect(await answer(running)).toBe(14)
    const status = plain((await cli('rebuild', 'status')).stdout)
    expect(status).toContain('sums  1  serves')
    expect(status).toMatch(/sums {2}2 {2}ready {2}7 {2}- {2}- {2}- {2}began/u)

    const shown = (await cli('rebuild', 'diff', 'sums', '--limit', '2')).stdout
    const [old, now] =
      kind === 'documents'
        ? ['14', '7']
        : [`{"payer":"everyone","sum":14}`, `{"payer":"everyone","sum":7}`]
    expect(shown.split('\n').slice(0, 3)).toEqual([
      'version 1 (position 7) → version 2 (position 7): 0 same, 0 added, 0 removed, 8 changed',
      `~ everyone  old ${old}`,
      `            new ${now}`,
    ])
    expect(shown).toContain('… 6 more rows')
    expect(await jsonOf('rebuild', 'diff', 'sums')).toMatchObject({ apart: 0, changed: 8 })

    expect((await cli('rebuild', 'switch', 'sums')).stdout).toBe('Version 2 of sums serves.\n')
    expect(await answer(running)).toBe(7)
    expect(plain((await cli('rebuild', 'status', 'sums')).stdout)).toContain(
      'sums  1  kept  7  until the next rebuild',
    )

    expect((await cli('rebuild', 'back', 'sums')).stdout).toBe('Version 1 of sums serves.\n')
    expect(await answer(running)).toBe(14)

    expect((await cli('rebuild', 'drop', 'sums')).stdout).toBe(
      'Version 2 of sums is dropped; version 1 serves.\n',
    )
    const again = await cli('rebuild', 'drop', 'sums')
    expect(again.stderr).toContain('There is nothing to drop')
    const { entries } = await jsonOf('audit', 'list')
    expect(entries.map(({ action }: { action: string }) => action).toReversed()).toEqual([
      'projection.rebuild',
      'projection.switch',
      'projection.switched',
      'projection.back',
      'projection.switched',
      'projection.drop',
    ])
  })
})
