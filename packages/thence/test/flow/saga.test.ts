// Sagas in a running app: every way through them, on every adapter, with time that the test moves.
import type { Database } from 'thence'
import { step } from 'thence'
import { describe, expect, it } from 'vitest'
import { losable } from '../kit/faults.ts'
import { fulfil, id, place, start, worldOf } from '../kit/fulfilment.ts'
import {
  Charge,
  Charged,
  Declined,
  Lost,
  Placed,
  Refund,
  Refunded,
  Release,
  Reserve,
  Reserved,
  Ship,
  Shipped,
  Short,
} from '../kit/orders.ts'
import type { Kind } from '../kit/places.ts'
import { all, kinds, look } from '../kit/places.ts'
import { loadSaga } from '../../src/saga/run.ts'
import { Codec } from '../../src/message/codec.ts'
import { Registry } from '../../src/message/registry.ts'

describe.each(kinds)('a saga on $name', ({ make }: Kind) => {
  it('does its steps in order and completes', async () => {
    const test = await start(make(), worldOf({}))
    await test.app.append({ events: place })
    await test.settle()
    expect(await test.commands()).toEqual(['Charge', 'Reserve', 'Ship'])
    expect(await test.end()).toEqual({ outcome: 'completed' })
  })

  it.each([
    ['payment', { Charge: [Declined] }, ['Charge'], 'payment: Declined'],
    ['stock', { Reserve: [Short] }, ['Charge', 'Reserve', 'Refund'], 'stock: Short'],
    [
      'shipping',
      { Ship: [Lost] },
      ['Charge', 'Reserve', 'Ship', 'Release', 'Refund'],
      'shipping: Lost',
    ],
  ] as const)(
    'takes back in reverse order what was done when %s fails',
    async (...[, other, sent, reason]) => {
      const test = await start(make(), worldOf(other))
      await test.app.append({ events: place })
      await test.settle()
      expect(await test.commands()).toEqual(sent)
      expect(await test.end()).toEqual({ outcome: 'compensated', reason })
    },
  )

  it('waits for the word that a step was undone before it undoes the one before', async () => {
    const steps = [
      step('payment', { do: Charge, done: Charged, undo: Release }),
      step('stock', { do: Reserve, done: Reserved, undo: Refund, undone: Refunded }),
      step('shipping', { do: Ship, done: Shipped, failed: Lost }),
    ]
    const test = await start(make(), worldOf({ Ship: [Lost], Refund: [] }), { steps })
    await test.app.append({ events: place })
    await test.settle()
    expect(await test.commands()).toEqual(['Charge', 'Reserve', 'Ship', 'Refund'])
    expect(await test.end()).toBeUndefined()
    await test.app.append({ events: Refunded({ id }) })
    await test.settle()
    expect((await test.commands()).at(-1)).toBe('Release')
    expect(await test.end()).toMatchObject({ outcome: 'compensated' })
  })

  it('takes back a step that timed out, because it may have worked', async () => {
    const steps = [step('payment', { do: Charge, done: Charged, undo: Refund, timeout: '30s' })]
    const test = await start(make(), worldOf({ Charge: [] }), { steps })
    await test.app.append({ events: place })
    await test.settle()
    await test.advance('29s')
    expect(await test.commands()).toEqual(['Charge'])
    await test.advance('1s')
    expect(await test.commands()).toEqual(['Charge', 'Refund'])
    expect(await test.end()).toEqual({ outcome: 'compensated', reason: 'payment: timed out' })
  })

  it('takes back a step that timed out once and failed the next time', async () => {
    const retry = { attempts: 2, base: 1000, cap: 1000 }
    const steps = [
      step('payment', {
        do: Charge,
        done: Charged,
        failed: Declined,
        undo: Refund,
        timeout: '30s',
        retry,
      }),
    ]
    const test = await start(make(), worldOf({ Charge: [undefined, Declined] }), { steps })
    await test.app.append({ events: place })
    await test.settle()
    await test.advance('32s')
    expect(await test.commands()).toEqual(['Charge', 'Charge', 'Refund'])
  })

  it('tries a step again as often as it is told to', async () => {
    const retry = { attempts: 3, base: 1000, cap: 60_000 }
    const steps = [step('payment', { do: Charge, done: Charged, failed: Declined, retry })]
    const world = worldOf({ Charge: [Declined, Declined, Charged] })
    const test = await start(make(), world, { steps })
    await test.app.append({ events: place })
    await test.advance('5s')
    expect(await test.commands()).toEqual(['Charge', 'Charge', 'Charge'])
    expect(await test.end()).toEqual({ outcome: 'completed' })
  })

  it('gives up when the attempts are used', async () => {
    const retry = { attempts: 3, base: 1000, cap: 60_000 }
    const steps = [step('payment', { do: Charge, done: Charged, failed: Declined, retry })]
    const test = await start(make(), worldOf({ Charge: Array(9).fill(Declined) }), { steps })
    await test.app.append({ events: place })
    await test.advance('5m')
    expect(await test.commands()).toEqual(['Charge', 'Charge', 'Charge'])
    expect(await test.end()).toMatchObject({ outcome: 'compensated' })
  })

  it('takes an answer that comes while it waits for the next attempt', async () => {
    const retry = { attempts: 3, base: 60_000, cap: 60_000 }
    const steps = [step('payment', { do: Charge, done: Charged, timeout: '10s', retry })]
    const test = await start(make(), worldOf({ Charge: [] }), { steps })
    await test.app.append({ events: place })
    await test.advance('10s')
    await test.app.append({ events: Charged({ id }) })
    await test.advance('5m')
    expect(await test.commands()).toEqual(['Charge'])
    expect(await test.end()).toEqual({ outcome: 'completed' })
  })

  it('only goes forward after its pivot', async () => {
    const steps = [
      step('payment', { do: Charge, done: Charged, undo: Refund, pivot: true }),
      step('shipping', { do: Ship, done: Shipped, failed: Lost }),
    ]
    const world = worldOf({ Ship: [...Array(7).fill(Lost), Shipped] })
    const test = await start(make(), world, { steps })
    await test.app.append({ events: place })
    await test.settle()
    await test.advance('10m')
    expect(await test.commands()).toEqual(['Charge', ...Array(8).fill('Ship')])
    expect(await test.end()).toEqual({ outcome: 'completed' })
  })

  it('starts once per key, however often it is told to and however late', async () => {
    const test = await start(make(), worldOf({}))
    await Promise.all([1, 2, 3].map(() => test.app.append({ events: place })))
    await test.settle()
    await test.app.append({ events: [place, Charged({ id }), Lost({ id })] })
    await test.settle()
    expect(await test.commands()).toEqual(['Charge', 'Reserve', 'Ship'])
    const { length } = await all(test.app.stream(`fulfil-${id}`))
    await test.app.append({ events: [Declined({ id }), Short({ id }), Refunded({ id })] })
    await test.settle()
    expect(await all(test.app.stream(`fulfil-${id}`))).toHaveLength(length)
  })

  it('starts once per key in two apps at the same time', async () => {
    const shared = make()
    const one = await start(shared, worldOf({}))
    const two = await start(shared, worldOf({}))
    const appends = Array.from({ length: 20 }, (_, n) =>
      (n % 2 === 0 ? one : two).app.append({ events: Placed({ id: `${n % 4}` }) }),
    )
    await one.runtime.until(Promise.all(appends))
    await one.settle()
    await two.settle()
    for (const key of ['0', '1', '2', '3']) {
      expect(await one.commands(key)).toEqual(['Charge', 'Reserve', 'Ship'])
      expect(await one.end(key)).toEqual({ outcome: 'completed' })
    }
  })

  it('keeps its timers across a restart', async () => {
    const shared = make()
    const steps = [step('payment', { do: Charge, done: Charged, undo: Refund, timeout: '30s' })]
    const before = await start(shared, worldOf({ Charge: [] }), { steps })
    await before.app.append({ events: place })
    await before.settle()
    await before.stop()
    await shared.runtime.jump('1h')
    const after = await start(shared, worldOf({ Charge: [] }), { steps })
    await after.settle()
    await after.advance('1s')
    expect(await after.commands()).toEqual(['Charge', 'Refund'])
  })

  it('goes on where it was when the process is killed between any two writes', async () => {
    for (let writes = 1; writes < 14; writes += 1) {
      const shared = make()
      let left = writes
      const dies = (one: Database): Database => {
        const victim = losable(one)
        const { database } = victim
        return {
          ...database,
          transact: async (work) => {
            const result = await database.transact(work)
            left -= 1
            if (left === 0) victim.lose()
            return result
          },
        }
      }
      const before = await start(shared, worldOf({ Ship: [Lost] }))
      await before.stop()
      const dying = await start(shared, worldOf({ Ship: [Lost] }), { around: dies }).catch(
        () => undefined,
      )
      await dying?.app.append({ events: Placed({ id }) }).catch(() => undefined)
      await dying?.runtime.advance('200ms')
      await dying?.stop().catch(() => undefined)
      const after = await start(shared, worldOf({ Ship: [Lost] }))
      if ((await all(after.app.log())).length === 0) await after.app.append({ events: place })
      await after.settle()
      expect(await after.commands(), `killed after ${writes} writes`).toEqual([
        'Charge',
        'Reserve',
        'Ship',
        'Release',
        'Refund',
      ])
      await after.stop()
    }
  })

  it('has in its stream all that its state is', async () => {
    const shared = make()
    const test = await start(shared, worldOf({ Reserve: [Short], Refund: [] }))
    await test.app.append({ events: place })
    await test.settle()
    const definition = fulfil()
    const tools = { codec: new Codec(new Registry(), true) }
    const replay = () =>
      look(test)((transaction) => loadSaga(transaction, tools, { saga: definition, key: id }))
    expect(await replay()).toMatchObject({
      status: 'compensating',
      reason: 'stock: Short',
      steps: [
        { step: 'payment', status: 'undoing' },
        { step: 'stock', status: 'failed' },
      ],
    })
    // A new app knows nothing but the stream, and goes on with it.
    await test.stop()
    const after = await start(shared, worldOf({}))
    await after.app.append({ events: Refunded({ id }) })
    await after.settle()
    expect(await after.end()).toMatchObject({ outcome: 'compensated' })
  })
})
