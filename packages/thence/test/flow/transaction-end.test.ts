// How a user's transaction ends: what it refuses, what undoes it, and what waits for it.
import { describe, expect, it } from 'vitest'
import { all, gate, kinds } from '../kit/places.ts'
import type { Transaction } from '../kit/sums.ts'
import { Add, Added, Note, start, Sum, types } from '../kit/sums.ts'

describe.each(kinds)('the end of a transaction on $name', ({ make }) => {
  it('refuses the app from inside, because it would wait for itself', async () => {
    const test = await start(make())
    const { app } = test
    await app.transaction(async (tx) => {
      const nested: readonly (() => Promise<unknown>)[] = [
        () => app.append({ events: Added({ n: 1 }) }),
        () => app.send(Add({ n: 1 })),
        () => app.ask(Sum()),
        () => app.until(0, { projection: 'sum' }),
        () => app.transaction(() => 1),
        () => all(app.stream('s')),
        () => all(app.log()),
      ]
      for (const call of nested)
        await expect(call()).rejects.toMatchObject({ code: 'TRANSACTION_NESTED' })
      await tx.append({ events: Added({ n: 2 }) })
    })
    expect(await app.ask(Sum())).toBe(2)
  })

  it('is the end: nothing more can be asked of it', async () => {
    const test = await start(make())
    let left: Transaction | undefined
    await test.app.transaction((tx) => void (left = tx))
    const tx = left as Transaction
    const late: readonly (() => Promise<unknown>)[] = [
      () => tx.append({ events: Added({ n: 1 }) }),
      () => tx.send(Add({ n: 1 })),
      () => tx.send(Note({ n: 1 }), { in: 5 }),
      () => all(tx.stream('s')),
      async () => tx.documents.put('mine', 'row', '1'),
      async () => tx.sql.run('SELECT 1'),
    ]
    for (const call of late) await expect(call()).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await test.app.transaction(async () => {
      for (const call of late) await expect(call()).rejects.toMatchObject({ code: 'STATE_INVALID' })
    })
    expect(await types(test)).toEqual([])
  })

  it('does not come by stealth: a call that is not awaited undoes all', async () => {
    const test = await start(make())
    const floating: Promise<unknown>[] = []
    const call = test.app.transaction(async (tx) => {
      await tx.append({ events: Added({ n: 1 }) })
      floating.push(tx.append({ events: Added({ n: 2 }) }), tx.send(Note({ n: 3 })))
    })
    await expect(call).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await Promise.allSettled(floating)
    await test.settle()
    expect(await types(test)).toEqual([])
  })

  it('comes when its time is over', async () => {
    const test = await start(make())
    const door = gate()
    const call = test.app.transaction(
      async (tx) => {
        await tx.append({ events: Added({ n: 1 }) })
        await door.opened
        return tx.append({ events: Added({ n: 2 }) })
      },
      { timeout: '2s' },
    )
    await expect(test.runtime.until(call)).rejects.toMatchObject({
      code: 'TRANSACTION_TIMEOUT',
      retryable: true,
    })
    door.open()
    await test.settle()
    expect(await types(test)).toEqual([])
  })

  it('comes when the caller gives up, before it or in the middle of it', async () => {
    const test = await start(make())
    let ran = 0
    const early = test.app.transaction(() => void (ran += 1), { signal: AbortSignal.abort() })
    await expect(early).rejects.toMatchObject({ code: 'ABORTED' })
    expect(ran).toBe(0)
    const caller = new AbortController()
    const reason = new Error('enough')
    const call = test.app.transaction(
      async (tx) => {
        await tx.append({ events: Added({ n: 1 }) })
        caller.abort(reason)
        await gate().opened
      },
      { signal: caller.signal },
    )
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
    expect(await types(test)).toEqual([])
    // Afterwards it is too late to give up.
    const late = new AbortController()
    await test.app.transaction((tx) => tx.append({ events: Added({ n: 2 }) }), {
      signal: late.signal,
    })
    late.abort()
    expect(await types(test)).toEqual(['Added'])
  })

  it('is waited for by the end of the app, up to its deadline', async () => {
    const place = make()
    const test = await start(place)
    const door = gate()
    const call = test.app.transaction(async (tx) => {
      await tx.append({ events: Added({ n: 1 }) })
      await door.opened
    })
    const stopped = test.app.stop({ deadline: '5s' })
    await place.runtime.advance('1s')
    door.open()
    await place.runtime.until(call)
    await place.runtime.until(stopped)
    const again = await start(place)
    const endless = again.app.transaction(async (tx) => {
      await tx.append({ events: Added({ n: 2 }) })
      await gate().opened
    })
    const code = endless.catch((error: { code: string }) => error.code)
    const begin = place.runtime.elapsed()
    await place.runtime.until(again.app.stop({ deadline: '3s' }))
    expect(place.runtime.elapsed() - begin).toBeLessThan(4000)
    expect(await code).toBe('APP_STOPPED')
    expect(await types(await start(place))).toEqual(['Added'])
  })
})
