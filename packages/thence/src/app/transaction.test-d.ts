/** Types of the calls of a running app: what cannot be meant is a compile error. */
import { expectTypeOf, test } from 'vitest'
import { aggregate } from '../decide/aggregate.ts'
import { command, event } from '../message/define.ts'
import { plain } from '../message/schema.ts'
import { app } from './builder.ts'
import type { UntilOptions } from './until.ts'

const Add = command('Add', plain<{ n: number }>())
const Other = command('Other', plain<{ n: number }>())
const Added = event('Added', plain<{ n: number }>())
const counter = aggregate('counter', {
  initial: () => 0,
  evolve: (on) => on(Added, (sum, { data }) => sum + data.n),
  decide: (on) => on(Add, (_, { data }) => Added(data)),
  stream: () => 'one',
})

test('a transaction sends what the app takes, and gives what its work gives', () => {
  const start = () =>
    app({ database: {} as never })
      .use(counter)
      .start()
  const use = async () => {
    const running = await start()
    const { value, token } = await running.transaction(async (tx) => {
      await tx.send(Add({ n: 1 }))
      // @ts-expect-error nothing in this app takes it
      await tx.send(Other({ n: 1 }))
      // @ts-expect-error a command is no event
      await tx.append({ events: Add({ n: 1 }) })
      const { due } = await tx.send(Add({ n: 1 }), { in: '1h' })
      expectTypeOf(due).toEqualTypeOf<number>()
      return { kept: true }
    })
    expectTypeOf(value).toEqualTypeOf<{ kept: boolean }>()
    expectTypeOf(token).toEqualTypeOf<string>()
    expectTypeOf((await running.transaction(() => 7)).value).toEqualTypeOf<number>()
  }
  expectTypeOf(use).returns.toEqualTypeOf<Promise<void>>()
})

test('until waits for one part', () => {
  const fine: readonly UntilOptions[] = [{ projection: 'a' }, { handler: 'a', timeout: '1s' }]
  expectTypeOf(fine).not.toBeAny()
  // @ts-expect-error two parts
  const two: UntilOptions = { projection: 'a', handler: 'b' }
  // @ts-expect-error no part
  const none: UntilOptions = { timeout: '1s' }
  expectTypeOf(two).toEqualTypeOf(none)
})
