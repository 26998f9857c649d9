// The real machine is a trap: whoever asks it for the time, for a timer or for chance in a simulated run is told so.
import { strict as assert } from 'node:assert'
import { command, handler, plain } from 'thence'
import type { AppBuilder } from 'thence'
import { simulate } from 'thence/testing'
import type { RealCall, SimulatedClient } from 'thence/testing'
import { describe, expect, test } from 'vitest'
import { failure } from '../kit/failure.ts'

const Note = command('Note', plain<{ readonly text: string }>())

type Client = SimulatedClient<'Note', never>

const writing = async ({ send }: Client): Promise<void> => void (await send(Note({ text: 'a' })))

/** An app whose handler does something that it should not. */
const clerk = (does: () => unknown) => (builder: AppBuilder) =>
  builder.use(handler('clerk', Note, () => void does()))

const real =
  (object: object, name: string): ((...parameters: unknown[]) => unknown) =>
  (...parameters) =>
    Reflect.apply(Reflect.get(object, name), object, parameters)

const clear = real(globalThis, 'clearTimeout')

/** What asks for each, and leaves nothing behind. */
const calls: Readonly<Record<RealCall, () => unknown>> = {
  'Date.now': real(Date, 'now'),
  'new Date': () => new Date(),
  'Math.random': real(Math, 'random'),
  setTimeout: () => clear(real(globalThis, 'setTimeout')(() => undefined, 1000)),
  setInterval: () => clear(real(globalThis, 'setInterval')(() => undefined, 1000)),
  'performance.now': real(Reflect.get(globalThis, 'performance'), 'now'),
  'crypto.randomUUID': real(Reflect.get(globalThis, 'crypto'), 'randomUUID'),
}

/** What a simulation replaces. */
const replaced = (): readonly unknown[] => [
  Reflect.get(globalThis, 'Date'),
  Reflect.get(Date, 'now'),
  Reflect.get(Date.prototype, 'constructor'),
  Reflect.get(Math, 'random'),
  Reflect.get(globalThis, 'setTimeout'),
  Reflect.get(globalThis, 'setInterval'),
  Reflect.get(Reflect.get(globalThis, 'performance'), 'now'),
  Reflect.get(Reflect.get(globalThis, 'crypto'), 'randomUUID'),
]

describe('in a simulated run', () => {
  test.each(Object.entries(calls))(
    '%s fails the seed, by its name, and says what to do',
    async (name, call) => {
      const before = replaced()
      const told = await failure(simulate(clerk(call), { seeds: 1, workload: writing }))
      expect(told).toContain(`not-simulated: ${name} was called, at `)
      expect(told).toContain('real.test.ts')
      expect(told).toContain(`allow it: { allows: ['${name}'] }`)
      expect(replaced()).toEqual(before)
    },
  )

  test('the workload is watched too', async () => {
    const workload = async ({ send }: Client): Promise<void> => {
      await send(Note({ text: String(Date.now()) }))
    }
    const told = await failure(
      simulate(
        clerk(() => undefined),
        { seeds: 1, workload },
      ),
    )
    expect(told).toContain('not-simulated: Date.now was called')
  })

  test('what was allowed is no failure', async () => {
    const allows = Object.keys(calls) as RealCall[]
    const all = (): void => {
      for (const call of Object.values(calls)) call()
    }
    await simulate(clerk(all), { seeds: 1, workload: writing, allows })
  })

  test('a date of a given time is no failure, and is known by its constructor', async () => {
    const does = (): void => {
      const date = new Date(0)
      assert.equal(date.constructor, Date)
      assert(date instanceof Date)
    }
    const report = await simulate(clerk(does), { seeds: 2, workload: writing })
    expect(report.counts.get('a message was parked')).toBeUndefined()
  })

  test('what others do meanwhile is not held against it', async () => {
    let asked = 0
    let over = false
    const others = async (): Promise<void> => {
      while (!over) {
        for (const call of Object.values(calls)) call()
        asked += 1
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const working = others()
    await simulate(
      clerk(() => undefined),
      { seeds: 2, workload: writing },
    )
    over = true
    await working
    expect(asked).toBeGreaterThan(10)
  })
})
