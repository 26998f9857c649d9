// History given to a handler again: only where it says that it may, in order, at a bounded depth and rate, over restarts
// and kills; what was said then is not said twice, and what must not be repeated is not.
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { kinds } from '../kit/places.ts'
import {
  bells,
  empty,
  Heard,
  log,
  none,
  Rung,
  rung,
  startEar,
  Tolled,
  until,
} from '../kit/tower.ts'

describe.each(kinds)('a replay on $name', ({ make }: Kind) => {
  it('gives everything again in order per key, says nothing twice and repeats nothing that is marked', async () => {
    const did = empty()
    const test = await startEar(make(), did)
    await test.app.append({ events: rung(20) })
    await test.settle()
    const [before, mails] = [await log(test), [...did.mails]]
    did.calls.length = 0
    const result = await until(test, test.app.replay('ear'))
    expect(result).toEqual({
      ...none,
      job: expect.any(String) as string,
      state: 'done',
      total: 20,
      resolved: 20,
    })
    expect(did.calls).toHaveLength(20)
    for (const bell of bells) {
      const of = did.calls.filter((call) => call.startsWith(bell))
      expect(of).toEqual([0, 1, 2, 3, 4].map((n) => `${bell}${n * 4 + bells.indexOf(bell)} again`))
    }
    expect(await log(test)).toEqual(before)
    expect(did.mails).toEqual(mails)
    // What happens now is no replay.
    await test.app.append({ events: rung(1) })
    await test.settle()
    expect(did.calls.at(-1)).toBe('a0')
    expect(did.mails).toHaveLength(21)
  })

  it('can be of a stretch of the log, a time, a stream, a type or a key', async () => {
    const did = empty()
    const test = await startEar(make(), did)
    const { position } = await test.app.append({ events: rung(4), stream: 'tower' })
    await test.runtime.advance('1m')
    const noon = new Date(test.runtime.now())
    await test.app.append({ events: [Tolled({ bell: 'a', n: 9 }), Rung({ bell: 'b', n: 10 })] })
    await test.settle()
    const again = async (which: Parameters<typeof test.app.replay>[1]): Promise<string[]> => {
      did.calls.length = 0
      const result = await until(test, test.app.replay('ear', which))
      const planned = await test.app.replay('ear', { ...which, dryRun: true })
      expect([result.state, result.total, planned]).toEqual([
        'done',
        did.calls.length,
        { ...none, job: null, state: 'planned', total: did.calls.length },
      ])
      return did.calls.map((call) => call.slice(0, -' again'.length)).toSorted()
    }
    expect(await again({ from: 2, to: 3 })).toEqual(['b1', 'c2'])
    expect(await again({ to: position })).toEqual(['a0', 'b1', 'c2', 'd3'])
    expect(await again({ from: noon })).toEqual(['a9', 'b10'])
    expect(await again({ to: new Date(noon.getTime() - 1), key: 'a' })).toEqual(['a0'])
    expect(await again({ stream: 'tower', from: 4 })).toEqual(['d3'])
    expect(await again({ types: ['Tolled'] })).toEqual(['a9'])
    expect(await again({ key: 'b' })).toEqual(['b1', 'b10'])
    expect(await again({ key: 'nobody' })).toEqual([])
  })

  it('keeps to its rate, and to how many may be on their way', async () => {
    const did = empty()
    const place = make()
    let [inHand, most] = [0, 0]
    const test = await startEar(place, did, {
      concurrency: 50,
      key: ({ data }) => String(data.n),
      run: async () => {
        inHand += 1
        most = Math.max(most, inHand)
        await new Promise<void>((resolve) => void place.runtime.after(400, resolve))
        inHand -= 1
      },
    })
    await test.app.append({ events: rung(60) })
    await test.settle()
    expect(most).toBeGreaterThan(40)
    most = 0
    await until(test, test.app.replay('ear', { inFlight: 7 }))
    expect(most).toBe(7)
    const from = place.runtime.now()
    await until(test, test.app.replay('ear', { rate: 10 }))
    expect(place.runtime.now() - from).toBeGreaterThanOrEqual(5000)
    expect(place.runtime.now() - from).toBeLessThan(9000)
  })

  it('leaves alone what waits for the handler or was given up, and tells how many', async () => {
    const did = empty()
    let broken = true
    const test = await startEar(make(), did, {
      run: ({ data }) => {
        did.calls.push(`${data.bell}${data.n}`)
        if (broken && data.n === 1) throw new Error('no')
      },
    })
    await test.app.append({ events: rung(8) })
    await test.settle()
    broken = false
    did.calls.length = 0
    const { resolved, skipped, total } = await until(test, test.app.replay('ear'))
    expect([total, resolved, skipped]).toEqual([8, 6, 2])
    expect(did.calls.some((call) => call.startsWith('b'))).toBe(false)
  })

  it('parks what fails, stops by itself when too much does, and goes on when it is told to', async () => {
    const did = empty()
    let broken = false
    const test = await startEar(make(), did, {
      key: ({ data }) => String(data.n),
      run: ({ data: { n } }, { replaying, skipOnReplay }) => {
        skipOnReplay(() => did.mails.push(String(n)))
        did.calls.push(`${n}${replaying ? ' again' : ''}`)
        if (broken) throw new Error('no')
      },
    })
    await test.app.append({ events: rung(40) })
    await test.settle()
    broken = true
    did.mails.length = 0
    const replay = test.app.replay('ear', { inFlight: 4, stopAfter: 3 })
    const result = await until(test, replay)
    expect(result).toMatchObject({ state: 'stopped', resolved: 0 })
    expect(result.failed).toBeLessThan(8)
    expect(result.error).toContain('messages failed for good')
    await test.settle()
    broken = false
    const on = { database: test.app.database, runtime: test.runtime }
    did.calls.length = 0
    await admin.resumeJob(on, String(result.job))
    test.app.wake()
    await test.spy.until(
      'the end',
      async () => (await admin.job(on, String(result.job))).state === 'done',
    )
    await test.settle()
    // One that failed in a replay is redriven as one of a replay.
    const letters = await admin.deadLetters(on, { state: 'parked' })
    for (const { id } of letters) await admin.redrive(on, id)
    await test.advance('3s')
    expect(new Set(did.calls).size).toBe(40)
    expect(did.calls.every((call) => call.endsWith('again'))).toBe(true)
    expect(did.mails).toEqual([])
  })

  it('that failed with a key that went on is redriven as one of a replay', async () => {
    const did = empty()
    let broken = false
    const test = await startEar(make(), did, {
      onFailure: 'park-message',
      run: ({ data: { n } }, { replaying }) => {
        did.calls.push(`${n}${replaying ? ' again' : ''}`)
        if (broken && n === 2) throw new Error('no')
      },
    })
    await test.app.append({ events: rung(4) })
    await test.settle()
    broken = true
    expect(await until(test, test.app.replay('ear'))).toMatchObject({ resolved: 3, failed: 1 })
    broken = false
    const on = { database: test.app.database, runtime: test.runtime }
    const [letter] = await admin.deadLetters(on, { state: 'parked' })
    await admin.redrive(on, String(letter?.id))
    await test.advance('3s')
    expect(did.calls.at(-1)).toBe('2 again')
  })

  it('says so if the handler now says otherwise than it did, and appends nothing of it', async () => {
    const did = empty()
    const place = make()
    const first = await startEar(place, did)
    await first.app.append({ events: rung(1) })
    await first.settle()
    const before = await log(first)
    await first.stop()
    const test = await startEar(place, did, {
      run: ({ data: { n } }, { append }) => append('heard', Heard({ n: n + 100 })),
    })
    expect(await until(test, test.app.replay('ear'))).toMatchObject({ failed: 1, resolved: 0 })
    expect(await log(test)).toEqual(before)
    const [letter] = await admin.deadLetters({ database: test.app.database }, { state: 'parked' })
    expect(letter?.errorCode).toBe('MESSAGE_ID_REUSED')
  })

  it('takes its turn with what happens meanwhile: each key stays in order', async () => {
    const did = empty()
    const test = await startEar(make(), did)
    await test.app.append({ events: rung(40) })
    await test.settle()
    did.calls.length = 0
    const replay = test.app.replay('ear', { inFlight: 2 })
    await test.runtime.advance(100)
    await test.app.append({ events: [Rung({ bell: 'a', n: 99 }), Rung({ bell: 'z', n: 1 })] })
    await until(test, replay)
    await test.settle()
    expect(did.calls).toContain('z1')
    const ofA = did.calls.filter((call) => call.startsWith('a') && call.endsWith('again'))
    expect(ofA).toEqual([...Array(10).keys()].map((n) => `a${n * 4} again`))
  })
})
