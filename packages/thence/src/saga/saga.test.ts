// The rules of a saga at their edges: state, timers, the end, keys, and an `undo` that nobody answers.
import { command, event, plain, saga, step } from 'thence'
import { given } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import { timerId, timerPrefix } from './turn.ts'

type Order = { readonly id: string }
const shape = plain<Order>()
const Placed = event('Placed', shape)
const Charge = command('Charge', shape)
const Charged = event('Charged', shape)
const Refund = command('Refund', shape)
const Refunded = event('Refunded', shape)
const Ship = command('Ship', shape)
const Shipped = event('Shipped', shape)
const Lost = event('Lost', shape)
const Thank = command('Thank', shape)
const Told = event('Told', plain<Order & { readonly count?: number }>())

const one = { id: '7' }
const key = ({ data }: { readonly data: Order }): string => data.id
const code = (name: string): unknown => expect.objectContaining({ code: name })

describe('the state of reactions', () => {
  const counting = saga('counting', {
    startedBy: Placed,
    key,
    state: (): { count: number } | undefined => ({ count: 1 }),
    on: (on) => on(Told, (_, { data: { count } }) => ({ state: count ? { count } : undefined })),
  })

  it('stays when a reaction gives undefined', () => {
    given(counting, [Placed(one), Told({ ...one, count: 3 })])
      .thenState({ count: 3 })
      .when(Told(one))
      .thenState({ count: 3 })
  })

  it('is nothing where none is kept', () => {
    const seen: unknown[] = []
    const none = saga('none', {
      startedBy: Placed,
      key,
      on: (on) => on(Told, ({ state }) => void seen.push(state)),
    })
    given(none, [Placed(one), Told(one)])
    expect(seen).toEqual([undefined])
  })

  it('cannot be changed by a reaction, neither the first one nor one that was kept', () => {
    const shared = { count: [1] }
    const mutating = saga('mutating', {
      startedBy: Placed,
      key,
      state: () => shared,
      on: (on) =>
        on(Told, ({ state }, { data: { count } }) => {
          if (count === undefined) state.count.push(2)
          return { state: shared }
        }),
    })
    const spec = given(mutating, [Placed(one)])
    expect(() => spec.when(Told(one))).toThrow(TypeError)
    spec.when(Told({ ...one, count: 1 }))
    expect(() => spec.when(Told(one))).toThrow(TypeError)
    spec.thenState({ count: [1] })
    shared.count.push(2)
    spec.thenState({ count: [1] })
  })
})

describe('the message that ends a saga', () => {
  const steps = [
    step('payment', { do: Charge, done: Charged, undo: Refund, undone: Refunded }),
    step('shipping', { do: Ship, done: Shipped, failed: Lost }),
  ] as const
  const thanking = saga('thanking', {
    startedBy: Placed,
    key,
    state: () => ({ last: '' }),
    steps,
    on: (on) => {
      const thank = (_: unknown, { type, data }: { type: string; data: Order }) => ({
        state: { last: type },
        send: Thank(data),
      })
      return on(Shipped, thank).on(Refunded, thank)
    },
    onTimer: () => undefined,
  })

  it('has its reaction, before the end', () => {
    given(thanking, [Placed(one), Charged(one)])
      .when(Shipped(one))
      .thenSends(Thank(one))
      .thenState({ last: 'Shipped' })
      .thenStatus('completed')
      .when(Shipped(one))
      .thenNothing()
  })

  it('has it when compensation ends, too', () => {
    given(thanking, [Placed(one), Charged(one), Lost(one)])
      .thenStatus('compensating')
      .when(Refunded(one))
      .thenSends(Thank(one))
      .thenState({ last: 'Refunded' })
      .thenStatus('compensated')
  })

  it('can still be the reason to take everything back', () => {
    const wary = saga('wary', {
      startedBy: Placed,
      key,
      steps,
      on: (on) => on(Shipped, () => ({ compensate: 'to the wrong house' })),
    })
    given(wary, [Placed(one), Charged(one)])
      .when(Shipped(one))
      .thenSends(Refund(one))
      .thenStatus('compensating')
      .when(Refunded(one))
      .thenStatus('compensated')
  })
})

describe('an answer at an unexpected time', () => {
  const shipping = saga('shipping', {
    startedBy: Placed,
    key,
    steps: [
      step('payment', { do: Charge, done: Charged, undo: Refund }),
      step('shipping', { do: Ship, done: Shipped, failed: Lost, timeout: '1m', pivot: true }),
    ],
  })

  it('does not do a step that has not begun', () => {
    given(shipping, [Placed(one)])
      .when(Shipped(one))
      .thenNothing()
      .when(Charged(one))
      .thenSends(Ship(one))
      .when(Shipped(one))
      .thenStatus('completed')
  })

  it('does not stop a compensation, not even that of a pivot', () => {
    given(shipping, [Placed(one), Charged(one)])
      .after('1m')
      .thenSends(Refund(one))
      .when(Shipped(one))
      .thenNothing()
      .thenStatus('compensated')
  })
})

describe('an undo that nobody answers', () => {
  const retry = { attempts: 1, base: 1000, cap: 3000 }
  const insisting = (timeout?: '10s') =>
    saga('insisting', {
      startedBy: Placed,
      key,
      steps: [
        step('payment', {
          do: Charge,
          done: Charged,
          undo: Refund,
          undone: Refunded,
          retry,
          ...(timeout === undefined ? {} : { timeout }),
        }),
        step('shipping', { do: Ship, done: Shipped, failed: Lost }),
      ],
    })
  const lost = [Placed(one), Charged(one), Lost(one)]

  it('is sent again after the timeout of its step and a growing pause, until it is answered', () => {
    const spec = given(insisting('10s'), lost).thenTimer('payment', '11s')
    for (const wait of ['11s', '12s', '13s', '13s'] as const)
      spec.thenTimer('payment', wait).whenTimer('payment').thenSends(Refund(one))
    spec.when(Refunded(one)).thenSends([]).thenNoTimer().thenStatus('compensated')
  })

  it('is waited for without a timeout', () => {
    given(insisting(), lost).thenNoTimer().thenStep('payment', 'undoing')
  })
})

describe('timers', () => {
  it('are refused where no onTimer says what they do', () => {
    const deaf = saga('deaf', {
      startedBy: Placed,
      key,
      on: (on) => on(Told, () => ({ timer: { name: 'late', in: '1h' } })),
    })
    expect(() => given(deaf, [Placed(one), Told(one)])).toThrow(code('CONFIG_INVALID'))
  })

  it('have a name that is one', () => {
    const nameless = saga('nameless', {
      startedBy: Placed,
      key,
      on: (on) => on(Told, () => ({ timer: { name: 'a\nb', in: '1h' } })),
      onTimer: () => undefined,
    })
    expect(() => given(nameless, [Placed(one), Told(one)])).toThrow(code('NAME_INVALID'))
  })

  it('named like an event do not hide what was seen of it', () => {
    const named = saga('named', {
      startedBy: Placed,
      key,
      on: (on) => on(Told, () => ({ timer: { name: 'Placed', in: '1h' } })),
      onTimer: ({ data }) => ({ send: Thank(data(Placed)), timer: { name: 'Placed', in: '1h' } }),
    })
    given(named, [Placed(one), Told(one)])
      .whenTimer('Placed')
      .whenTimer('Placed')
      .thenSends(Thank(one))
  })

  it('of a step that a reaction stops do not stay', () => {
    const retry = { attempts: 9, base: 60_000, cap: 60_000 }
    const stopping = saga('stopping', {
      startedBy: Placed,
      key,
      steps: [
        step('payment', { do: Charge, done: Charged, undo: Refund, undone: Refunded }),
        step('shipping', { do: Ship, done: Shipped, failed: Lost, timeout: '1m', retry }),
      ],
      on: (on) => on(Told, () => ({ compensate: 'told so' })),
    })
    const begun = [Placed(one), Charged(one)]
    given(stopping, begun).thenTimer('shipping').when(Told(one)).thenNoTimer()
    given(stopping, [...begun, Lost(one)])
      .thenTimer('shipping')
      .when(Told(one))
      .thenNoTimer()
  })

  it('have ids that no names can make the same, and that begin with their instance', () => {
    const left = timerId('s-a', { kind: 'timer', step: 'b/timer/c' })
    const right = timerId('s-a/timer/b', { kind: 'timer', step: 'c' })
    expect(left).not.toBe(right)
    expect(left.startsWith(timerPrefix('s-a'))).toBe(true)
    expect(right.startsWith(timerPrefix('s-a'))).toBe(false)
    expect(timerId('s-"a', { kind: 'undo', step: 'b' })).toBe(String.raw`["s-\"a","undo","b"]`)
  })
})

describe('a key', () => {
  const keyed = saga('keyed', {
    startedBy: Placed,
    key,
    on: (on) => on(Told, () => ({ complete: true })),
  })

  it.each([[''], [7], [null], ['x'.repeat(251)], ['a\u0000b'], ['\ud800'], ['a\nb']])(
    'cannot be %j',
    (id) => {
      const message = { type: 'Placed', data: { id } } as never
      expect(() => keyed.key(message)).toThrow(code('NAME_INVALID'))
    },
  )

  it('can be as long as the name of a stream', () => {
    given(keyed, [Placed({ id: 'x'.repeat(250) })]).thenStatus('running')
  })

  it('that is undefined concerns no instance', () => {
    given(keyed, [Placed({ id: undefined as unknown as string })]).thenStatus('new')
  })
})
