// A replay after retention: where what the handler said may have been removed it is refused, because it would be said
// twice; and while a replay goes on, what it finds is not removed.
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { kinds } from '../kit/places.ts'
import type { Test } from '../kit/tower.ts'
import { empty, log, none, rung, startEar, until } from '../kit/tower.ts'

const lost = { code: 'HISTORY_TRUNCATED' }

/** Removes the oldest messages of a stream. */
const trim = (test: Test, stream: string, through: number): Promise<number> =>
  test.app.database.transact(({ events }) => events.trim(stream, { through, limit: 100 }))

/** Four bells, at positions 1 to 4, and then what was said of them: an event and a command each. */
const heard = async (make: Kind['make']) => {
  const did = empty()
  const test = await startEar(make(), did)
  await test.app.append({ stream: 'tower', events: rung(4) })
  await test.settle()
  did.calls.length = 0
  const on = { database: test.app.database, runtime: test.runtime, actor: 'ann' }
  const said = async () =>
    (await log(test)).filter(({ type }) => type === 'Heard' || type === 'Answer').length
  return { did, test, on, said }
}

describe.each(kinds)('a replay on $name', ({ make }: Kind) => {
  it('is refused where what was said may have been removed, and says it again for one who insists', async () => {
    const { did, test, on, said } = await heard(make)
    await trim(test, 'heard', 2)
    expect(await said()).toBe(6)
    const refusals = [
      test.app.replay('ear'),
      test.app.replay('ear', { dryRun: true }),
      admin.planReplay(on, 'ear'),
      admin.startReplay(on, 'ear'),
    ]
    for (const refusal of refusals)
      await expect(refusal).rejects.toMatchObject({
        ...lost,
        details: { handler: 'ear', first: 1, categories: ['heard'] },
      })
    expect(did.calls).toEqual([])
    const insisted = { truncated: true }
    expect(await test.app.replay('ear', { ...insisted, dryRun: true })).toMatchObject({ total: 4 })
    expect(await until(test, test.app.replay('ear', insisted))).toMatchObject({ resolved: 4 })
    expect(await said()).toBe(8)
  })

  it('is done where all that was removed stands before the first that is meant', async () => {
    const { test, on, said } = await heard(make)
    await trim(test, 'tower', 3)
    expect(await admin.planReplay(on, 'ear')).toMatchObject({ total: 1 })
    const result = await until(test, test.app.replay('ear'))
    expect(result).toMatchObject({ ...none, state: 'done', total: 1, resolved: 1 })
    expect(await said()).toBe(8)
    const nobody = await until(test, test.app.replay('ear', { key: 'nobody' }))
    expect(nobody).toMatchObject({ state: 'done', total: 0 })
  })

  it('keeps what it finds from being removed while it goes on; without that it stops', async () => {
    const { test, on, said } = await heard(make)
    await test.runtime.advance('2m')
    const rule = { category: 'heard', olderThan: '1m' } as const
    const { id } = await admin.startReplay(on, 'ear', { rate: 1, to: 4 })
    await admin.pauseJob(on, id)
    const held = await admin.retain(on, { rule })
    expect(held.rules).toMatchObject([{ removed: 0, held: [{ reason: 'replay', by: 'ear' }] }])
    const gone = await admin.retain(on, { rule, force: true })
    expect(gone.rules).toMatchObject([{ removed: 4 }])
    await admin.resumeJob(on, id)
    await test.advance('5s')
    const job = await admin.job(on, id)
    expect(job).toMatchObject({ state: 'stopped', progress: { replayed: 0 } })
    expect(job.error).toMatch(/ear .*removed.*truncated/)
    expect(await said()).toBe(4)
    // One that has ended keeps nothing.
    const rest = { category: 'commands', olderThan: '1m' } as const
    expect((await admin.retain(on, { rule: rest })).rules).toMatchObject([{ removed: 4 }])
  })
})
