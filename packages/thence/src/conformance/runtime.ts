/** Cases for a Runtime. They never wait by themselves: whoever makes the runtime says how its time passes. */
import { strict as assert } from 'node:assert'
import type { Runtime } from '../ports/runtime.ts'

export interface RuntimeSubject {
  readonly runtime: Runtime
  /** Lets at least so many milliseconds pass by the runtime's clock. */
  readonly pass: (milliseconds: number) => Promise<void>
}

export interface RuntimeCase {
  readonly name: string
  readonly port: 'runtime'
  run(make: () => RuntimeSubject): Promise<void>
}

const it = (name: string, run: (subject: RuntimeSubject) => Promise<void>): RuntimeCase => ({
  name,
  port: 'runtime',
  run: (make) => run(make()),
})

const times: readonly RuntimeCase[] = [
  it('now is a whole number of milliseconds since 1970', async ({ runtime }) => {
    assert.equal(Number.isSafeInteger(runtime.now()), true)
    assert.equal(runtime.now() > Date.UTC(2020), true)
  }),

  it('now follows the time that passes', async ({ runtime, pass }) => {
    const before = runtime.now()
    await pass(5)
    assert.equal(runtime.now() >= before + 5, true)
  }),

  it('what has elapsed grows with the time that passes and never goes back', async ({
    runtime,
    pass,
  }) => {
    let last = runtime.elapsed()
    assert.equal(Number.isFinite(last), true)
    const first = last
    for (let round = 0; round < 5; round += 1) {
      await pass(4)
      assert.equal(runtime.elapsed() >= last, true)
      last = runtime.elapsed()
    }
    // Two clocks may count a millisecond differently.
    assert.equal(last - first >= 19, true)
  }),

  it('random numbers are spread over [0, 1)', async ({ runtime }) => {
    const numbers = Array.from({ length: 2000 }, () => runtime.random())
    assert.equal(
      numbers.every((number) => number >= 0 && number < 1),
      true,
    )
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const inside = numbers.filter((number) => Math.floor(number * 10) === tenth)
      assert.equal(inside.length > 100, true, `in tenth ${tenth}: ${inside.length}`)
    }
  }),
]

const ids: readonly RuntimeCase[] = [
  it('an id is a UUIDv7 that tells the time', async ({ runtime }) => {
    const before = runtime.now()
    const id = runtime.id()
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const time = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
    assert.equal(Math.abs(time - before) < 60_000, true)
  }),

  it('ids never repeat and sort by creation, within one millisecond and over many', async ({
    runtime,
    pass,
  }) => {
    const made: string[] = []
    for (let round = 0; round < 3; round += 1) {
      made.push(...Array.from({ length: 5000 }, () => runtime.id()))
      await pass(1)
    }
    assert.equal(new Set(made).size, made.length)
    assert.deepEqual(
      made,
      [...made].sort((a, b) => (a < b ? -1 : 1)),
    )
  }),
]

const plans: readonly RuntimeCase[] = [
  it('a planned callback runs once, not before its time', async ({ runtime, pass }) => {
    const planned = runtime.now()
    const ran: number[] = []
    runtime.after(10, () => ran.push(runtime.now()))
    await pass(30)
    await pass(30)
    assert.equal(ran.length, 1)
    // Timers count by a clock of their own, which may differ from `now` by a rounded millisecond.
    assert.equal((ran[0] ?? 0) >= planned + 9, true)
  }),

  it('a planned callback never runs inside the call that plans it', async ({ runtime, pass }) => {
    const ran: string[] = []
    runtime.after(0, () => ran.push('after'))
    runtime.soon(() => ran.push('soon'))
    assert.deepEqual(ran, [])
    await pass(5)
    await new Promise<void>((resolve) => runtime.soon(resolve))
    assert.deepEqual(new Set(ran), new Set(['after', 'soon']))
    assert.equal(ran.length, 2)
  }),

  it('callbacks run in order of their time', async ({ runtime, pass }) => {
    const ran: number[] = []
    for (const time of [60, 20, 40]) runtime.after(time, () => ran.push(time))
    await pass(100)
    assert.deepEqual(ran, [20, 40, 60])
  }),

  it('a cancelled callback does not run, and cancelling again does nothing', async ({
    runtime,
    pass,
  }) => {
    const ran: string[] = []
    const cancel = runtime.after(5, () => ran.push('cancelled'))
    runtime.after(5, () => ran.push('kept'))
    cancel()
    cancel()
    await pass(20)
    assert.deepEqual(ran, ['kept'])
    cancel()
  }),

  it('a callback that is planned for far away, or for never, does not run now', async ({
    runtime,
    pass,
  }) => {
    const ran: number[] = []
    // Beyond what 32 bits of milliseconds can say.
    const cancels = [2 ** 31, 2 ** 32 + 5, 1e12, Infinity].map((far) =>
      runtime.after(far, () => ran.push(far)),
    )
    await pass(30)
    for (const cancel of cancels) cancel()
    await pass(5)
    assert.deepEqual(ran, [])
  }),

  it('a callback may plan another one', async ({ runtime, pass }) => {
    const ran: string[] = []
    runtime.after(5, () => {
      ran.push('first')
      runtime.after(5, () => ran.push('second'))
    })
    await pass(30)
    await pass(30)
    assert.deepEqual(ran, ['first', 'second'])
  }),

  it('soon runs after the microtasks of this turn', async ({ runtime }) => {
    const ran: string[] = []
    const done = new Promise<void>((resolve) => {
      runtime.soon(() => {
        ran.push('soon')
        resolve()
      })
    })
    queueMicrotask(() => {
      ran.push('microtask')
      queueMicrotask(() => ran.push('its microtask'))
    })
    await done
    assert.deepEqual(ran, ['microtask', 'its microtask', 'soon'])
  }),
]

export const runtimeCases: readonly RuntimeCase[] = [...times, ...ids, ...plans]
