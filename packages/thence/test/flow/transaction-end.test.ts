// How a user's transaction ends: what it refuses, what undoes it, and what waits for it.
import { describe, expect, it, onTestFinished } from 'vitest'
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

  it.each([
    ['one call', 1, (tx: Transaction) => void tx.append({ events: Added({ n: 1 }) })],
    ['three', 3, (tx: Transaction) => void tx.append({ events: Added({ n: 1 }) })],
    ['commands', 20, (tx: Transaction) => void tx.send(Note({ n: 1 }))],
    ['a row', 1, (tx: Transaction) => void tx.documents.put('mine', 'row', '1')],
  ])(
    'undoes all with %s that nobody awaits, and leaves no error to nobody',
    async (_, times, call) => {
      const unhandled: unknown[] = []
      const hear = (error: unknown): void => void unhandled.push(error)
      process.on('unhandledRejection', hear)
      onTestFinished(() => void process.off('unhandledRejection', hear))
      const test = await start(make())
      const begin = (tx: Transaction): void => {
        for (let n = 0; n < times; n += 1) call(tx)
      }
      const works: readonly ((tx: Transaction) => Promise<void> | void)[] = [
        begin,
        async (tx) => begin(tx),
        async (tx) => {
          await tx.append({ events: Added({ n: 1 }) })
          begin(tx)
        },
      ]
      for (const work of works)
        await expect(test.app.transaction(work)).rejects.toMatchObject({ code: 'STATE_INVALID' })
      const thrown = new Error('the work failed')
      const fails = (tx: Transaction): void => {
        begin(tx)
        throw thrown
      }
      await expect(test.app.transaction(fails)).rejects.toBe(thrown)
      const late = test.app.transaction(
        async (tx) => {
          await gate().opened.finally(() => begin(tx))
        },
        { timeout: '1s' },
      )
      await expect(test.runtime.until(late)).rejects.toMatchObject({ code: 'TRANSACTION_TIMEOUT' })
      await test.settle()
      // The process tells of an unhandled rejection once its tasks are done.
      await new Promise<void>((resolve) => void setImmediate(resolve))
      expect(unhandled).toEqual([])
      expect(await types(test)).toEqual([])
      expect(await test.app.transaction((tx) => tx.documents.get('mine', 'row'))).toMatchObject({
        value: undefined,
      })
    },
  )

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
