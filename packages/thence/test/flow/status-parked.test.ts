// What `status` and the figures of a process tell of messages that wait for a person, whether their key waits with them or
// has gone on; and that only what has no key is called halted.
import type { FailurePolicy } from 'thence'
import { event, handler, plain } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string }>())

const rings = (...bells: readonly string[]) => bells.map((bell) => Rung({ bell }))

const deaf = (onFailure: FailurePolicy, fails: ReadonlySet<string>) =>
  handler('deaf', Rung, {
    key: ({ data }) => data.bell,
    retry: { attempts: 1 },
    onFailure,
    run: ({ data: { bell } }) => {
      if (fails.has(bell)) throw new Error('deaf')
    },
  })

describe.each(kinds.slice(0, 2))('on $name', ({ make }) => {
  it.each(['park-key', 'park-message'] as const)(
    'letters of policy %s are counted, and want an eye',
    async (policy) => {
      const place = make()
      const fails = new Set(['a', 'b', 'c'])
      const test = await run(place, (app) => app.use(deaf(policy, fails)))
      await test.app.append({ events: rings('a', 'b', 'c', 'd') })
      await test.runtime.advance('7s')
      const on = { database: test.app.database, runtime: place.runtime }
      const { attention, subscriptions, retries } = await admin.status(on)
      expect(subscriptions).toMatchObject([{ name: 'deaf', state: 'caught-up', parked: 3 }])
      expect(retries.parked).toBe(3)
      expect(attention).toMatchObject([
        {
          name: 'deaf',
          what: '3 parked, 0 behind them',
          advice: 'thence dead-letters list --subscription deaf',
        },
      ])
      expect(test.app.metrics().lags).toMatchObject([{ subscription: 'deaf', parked: 3 }])
    },
  )

  it('what its policy has paused names the letter before the resume, what a person has paused does not', async () => {
    const place = make()
    const test = await run(place, (app) => app.use(deaf('stop', new Set(['a']))))
    const on = { database: test.app.database, runtime: place.runtime }
    await test.app.pause('deaf')
    expect((await admin.status(on)).attention).toMatchObject([
      { name: 'deaf', advice: 'thence subscriptions resume deaf' },
    ])
    await test.app.resume('deaf')
    await test.app.append({ events: rings('a', 'b') })
    await test.runtime.advance('2s')
    const [letter] = await admin.deadLetters(on)
    const { attention } = await admin.status(on)
    expect(attention).toMatchObject([
      {
        name: 'deaf',
        advice: `thence dead-letters show ${letter!.id}; mend the cause, redrive it, then thence subscriptions resume deaf`,
      },
    ])
  })

  it.each(['stop', 'park-message'] as const)(
    'a pause, policy %s, does not hide what was parked before it',
    async (policy) => {
      const place = make()
      const test = await run(place, (app) => app.use(deaf('park-message', new Set(['a', 'b']))))
      const on = { database: test.app.database, runtime: place.runtime }
      await test.app.append({ events: rings('a') })
      await test.runtime.advance('2s')
      await test.app.setPolicy('deaf', policy)
      await test.app.append({ events: rings('b') })
      await test.runtime.advance('2s')
      if (policy !== 'stop') await test.app.pause('deaf', { actor: 'ann' })
      const { attention } = await admin.status(on)
      expect(attention).toMatchObject([
        {
          name: 'deaf',
          what: '2 parked, 0 behind them',
          advice: 'thence dead-letters list --subscription deaf',
        },
        { name: 'deaf', what: expect.stringMatching(/^paused by (thence|ann)/) },
      ])
    },
  )

  it('what is skipped is nobody to look after, until it is restored', async () => {
    const place = make()
    const test = await run(place, (app) => app.use(deaf('skip', new Set(['a']))))
    await test.app.append({ events: rings('a') })
    await test.runtime.advance('2s')
    const on = { database: test.app.database, runtime: place.runtime }
    const before = await admin.status(on)
    expect(before.attention).toEqual([])
    expect(before.subscriptions).toMatchObject([{ parked: 0 }])
    const [letter] = await admin.deadLetters(on, { state: 'discarded' })
    await admin.restore(on, letter!.id)
    const after = await admin.status(on)
    expect(after.attention).toMatchObject([{ name: 'deaf', what: '1 parked, 0 behind them' }])
    expect(after.subscriptions).toMatchObject([{ parked: 1 }])
  })

  it('a handler with keys is not halted, though one of its partitions stands before what failed', async () => {
    const place = make()
    const slow = gate()
    const picky = handler('picky', Rung, {
      key: ({ data }) => data.bell,
      partitions: 8,
      retry: { attempts: 3, base: '10s', cap: '60s' },
      run: async ({ data: { bell } }) => {
        if (bell.startsWith('slow')) await slow.opened
        if (bell === 'bad') throw new Error('no')
      },
    })
    const test = await run(place, (app) => app.use(picky))
    await test.app.append({ events: rings('slow 1', 'slow 2', 'slow 3', 'ok', 'bad', 'ok 2') })
    // The slow ones are not set aside yet.
    await test.runtime.advance(500)
    const on = { database: test.app.database, runtime: place.runtime }
    const waiting = await look(test)(({ retries }) => retries.outlook('picky'))
    const { attention, subscriptions } = await admin.status(on)
    slow.open()
    expect(waiting.due).toBe(1)
    expect(subscriptions[0]?.position).toBeLessThan(5)
    expect(subscriptions).toMatchObject([{ haltedAt: null, due: 1 }])
    expect(attention.filter(({ what }) => what.startsWith('halted'))).toEqual([])
  })
})
