// The virtual clock keeps the promises of every runtime, and its own: it repeats, and it rests before time goes on.
import { describe, expect, it } from 'vitest'
import { runtimeCases } from '../conformance/runtime.ts'
import { wait } from '../ports/wait.ts'
import { virtualRuntime } from './virtual-runtime.ts'

describe('a virtual runtime keeps what every runtime promises', () => {
  it.each(runtimeCases)('$name', async (one) => {
    await one.run(() => {
      const runtime = virtualRuntime()
      return { runtime, pass: (milliseconds) => runtime.advance(milliseconds) }
    })
  })
})

describe('a virtual runtime', () => {
  it('gives the same numbers and ids for the same seed, and others for another', () => {
    const draw = (seed: number): readonly unknown[] => {
      const runtime = virtualRuntime({ seed })
      return Array.from({ length: 20 }, () => [runtime.random(), runtime.id()])
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('draws the same numbers however many ids are made', () => {
    const [first, second] = [virtualRuntime(), virtualRuntime()]
    first.id()
    expect(first.random()).toBe(second.random())
  })

  it('stands still while work that needs no time is done', async () => {
    const runtime = virtualRuntime({ start: 5000 })
    await runtime.rest()
    expect(runtime.now()).toBe(5000)
  })

  it('lets what a timer sets off come to rest before the next timer', async () => {
    const runtime = virtualRuntime()
    const ran: string[] = []
    runtime.after(10, () => {
      void (async () => {
        for (let step = 0; step < 5; step += 1) {
          await Promise.resolve()
          await new Promise<void>((resolve) => runtime.soon(resolve))
        }
        ran.push('first, at rest')
      })()
    })
    runtime.after(11, () => ran.push('second'))
    await runtime.advance(20)
    expect(ran).toEqual(['first, at rest', 'second'])
  })

  it('runs timers of one time in the order in which they were planned', async () => {
    const runtime = virtualRuntime()
    const ran: number[] = []
    for (const number of [1, 2, 3]) runtime.after(10, () => ran.push(number))
    await runtime.advance('10ms')
    expect(ran).toEqual([1, 2, 3])
  })

  it('shows each timer its own time', async () => {
    const runtime = virtualRuntime({ start: 0 })
    const times: number[] = []
    for (const delay of [30, 10]) runtime.after(delay, () => times.push(runtime.now()))
    await runtime.advance(100)
    expect(times).toEqual([10, 30])
    expect(runtime.now()).toBe(100)
  })

  it('runs what is due late when the clock jumps', async () => {
    const runtime = virtualRuntime({ start: 0 })
    const times: number[] = []
    const again = (): void => void runtime.after(10, () => (times.push(runtime.now()), again()))
    again()
    await runtime.jump('1h')
    expect(times).toEqual([3_600_000])
    await runtime.advance(10)
    expect(times).toEqual([3_600_000, 3_600_010])
  })

  it('moves time as far as a promise needs, and no further', async () => {
    const runtime = virtualRuntime({ start: 0 })
    await runtime.until(wait(runtime, 3_600_000))
    expect(runtime.now()).toBe(3_600_000)
  })

  it('gives what the promise gave, or throws what it threw', async () => {
    const runtime = virtualRuntime()
    expect(await runtime.until(wait(runtime, 10).then(() => 'done'))).toBe('done')
    const failing = wait(runtime, 10).then(() => Promise.reject(new Error('no')))
    await expect(runtime.until(failing)).rejects.toThrow('no')
  })

  it('gives up on a promise when the next timer is too late or there is none', async () => {
    const runtime = virtualRuntime({ start: 0 })
    const never = new Promise<void>(() => undefined)
    await expect(runtime.until(never, { what: 'The end' })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('The end did not happen'),
    })
    await expect(runtime.until(wait(runtime, 1000), { within: '1ms' })).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    expect(runtime.now()).toBeLessThanOrEqual(1)
  })

  it('tells what is planned', () => {
    const runtime = virtualRuntime({ start: 0 })
    expect([runtime.next, runtime.planned]).toEqual([undefined, 0])
    const cancel = runtime.after(40, () => undefined)
    runtime.after(50, () => undefined)
    expect([runtime.next, runtime.planned]).toEqual([40, 2])
    cancel()
    expect([runtime.next, runtime.planned]).toEqual([50, 1])
  })
})
