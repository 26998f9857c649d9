// What kind of failure it was decides how often a message is tried; an error can ask for time; and what a policy says can
// be changed while the app runs, from any process.
import type { FailurePolicy, HandlerOptions } from 'thence'
import { event, handler, plain } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { file, gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
const rung = (bell: string, ...numbers: number[]) => numbers.map((n) => Rung({ bell, n }))

const permanent = Object.assign(new Error('never'), { retryable: false })

type Options = Partial<HandlerOptions<typeof Rung>>

const ear = (fails: (n: number) => Error | undefined, options: Options = {}) => {
  const calls: string[] = []
  const one = handler('ear', Rung, {
    key: ({ data }) => data.bell,
    retry: { attempts: 5, base: 100 },
    run: ({ data: { bell, n } }) => {
      calls.push(`${bell}${n}`)
      const error = fails(n)
      if (error !== undefined) throw error
    },
    ...options,
  })
  return { calls, one }
}

describe.each(kinds.slice(0, 2))('a failure on $name', ({ make }: Kind) => {
  it('that time mends is tried as often as the policy says, a bug three times, what nothing mends once', async () => {
    const errors = [new Error('late'), new TypeError('x is not a function'), permanent]
    const { calls, one } = ear((n) => errors[n])
    const test = await run(make(), (app) => app.use(one))
    await test.app.append({ events: [...rung('a', 0), ...rung('b', 1), ...rung('c', 2)] })
    await test.settle()
    const tries = (call: string): number => calls.filter((one) => one === call).length
    expect([tries('a0'), tries('b1'), tries('c2')]).toEqual([5, 3, 1])
    const parked = test.spy.signals.filter((signal) => signal.name === 'message-parked')
    const told = parked.map(({ key, kind, attempts }) => `${key} ${kind} ${attempts}`)
    expect(new Set(told)).toEqual(new Set(['a transient 5', 'b bug 3', 'c permanent 1']))
  })

  it("is asked of the handler's rule first, then of the app's, then of the default", async () => {
    const { calls, one } = ear((n) => new Error(['own', 'common', 'other'][n]), {
      classify: (error) => ((error as Error).message === 'own' ? 'permanent' : undefined),
    })
    const test = await run(make(), (app) => app.use(one), {
      classify: (error) => ((error as Error).message === 'other' ? undefined : 'bug'),
    })
    await test.app.append({ events: [...rung('a', 0), ...rung('b', 1), ...rung('c', 2)] })
    await test.settle()
    expect(['a0', 'b1', 'c2'].map((call) => calls.filter((one) => one === call).length)).toEqual([
      1, 3, 5,
    ])
  })

  it('that asks for time gets it, over a restart too', async () => {
    const place = make()
    const { calls, one } = ear(() => Object.assign(new Error('later'), { retryAfter: '10m' }))
    const test = await run(place, (app) => app.use(one))
    await test.app.append({ events: rung('a', 1) })
    await test.runtime.advance('5m')
    await test.stop()
    const again = await run(place, (app) => app.use(one))
    await again.runtime.advance('299s')
    expect(calls).toHaveLength(1)
    await again.runtime.advance('2s')
    expect(calls).toHaveLength(2)
  }, 30_000)

  it('holds up its key while it is tried again, also if the key goes on without it at the end', async () => {
    for (const onFailure of ['park-message', 'skip'] as const) {
      const { calls, one } = ear((n) => (n === 1 ? new Error('no') : undefined), { onFailure })
      const test = await run(make(), (app) => app.use(one))
      await test.app.append({ events: [...rung('a', 0, 1, 2, 3), ...rung('b', 0)] })
      await test.settle()
      expect(calls.filter((call) => call.startsWith('a'))).toEqual([
        'a0',
        ...Array<string>(5).fill('a1'),
        'a2',
        'a3',
      ])
      const name = onFailure === 'skip' ? 'message-skipped' : 'message-parked'
      expect(test.spy.signals.at(-1)).toMatchObject({ name, key: 'a', attempts: 5 })
      await test.stop()
    }
  })
})

const policyChanges: readonly (readonly [FailurePolicy, number])[] = [
  ['skip', 4],
  ['park-message', 4],
  ['stop', 1],
]

describe('a policy that is changed while the app runs', () => {
  it.each(policyChanges)(
    'to %s, by another process, holds from the next failure on',
    async (policy, done) => {
      const place = file.make()
      const inHand = gate()
      const { calls, one } = ear((n) => (n === 1 ? permanent : undefined))
      const waits: Options = {
        run: async (message, context) => {
          if (message.data.n === 1) await inHand.opened
          return one.run(message, context)
        },
      }
      const test = await run(place, (app) =>
        app.use(
          handler('ear', Rung, { key: ({ data }) => data.bell, ...waits } as HandlerOptions<
            typeof Rung
          >),
        ),
      )
      await test.app.append({ events: rung('a', 0, 1, 2, 3) })
      await test.runtime.rest()
      const other = place.open()
      await other.open(place.runtime)
      await admin.setPolicy({ database: other, runtime: place.runtime, actor: 'ann' }, 'ear', {
        policy,
      })
      await other.close()
      // The attempt was in hand already when the policy changed.
      inHand.open()
      await test.settle()
      expect(calls.length).toBe(policy === 'stop' ? 2 : done)
      const { parked, queued } = await look(test)(({ retries }) => retries.outlook('ear'))
      expect([parked, queued]).toEqual(policy === 'stop' ? [1, 2] : [0, 0])
      const entries = await admin.audit({ database: test.app.database, runtime: place.runtime })
      expect(entries.map(({ actor, action }) => `${actor} ${action}`)).toEqual(
        policy === 'stop'
          ? ['thence subscription.pause', 'ann subscription.policy']
          : ['ann subscription.policy'],
      )
    },
  )
})
