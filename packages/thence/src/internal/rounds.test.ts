/** Rounds come one at a time: none is lost, none overlaps another, and none begins after the end. */
import { expect, test } from 'vitest'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import { Rounds } from './rounds.ts'

const rounds = (delay: number) => {
  const runtime = virtualRuntime()
  const gates: PromiseWithResolvers<void>[] = []
  const begun: number[] = []
  const loop = new Rounds(
    (after, callback) => runtime.after(after, callback),
    async () => {
      begun.push(runtime.elapsed())
      const gate = gates.at(-1)
      await gate?.promise
      return delay
    },
  )
  const hold = () => {
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    return () => {
      gates.pop()
      gate.resolve()
    }
  }
  return { runtime, loop, begun, hold }
}

test('a round follows after as long as the one before said, or when it is woken', async () => {
  const { runtime, loop, begun } = rounds(1000)
  loop.start()
  await runtime.advance(2500)
  expect(begun).toEqual([0, 1000, 2000])
  loop.wake()
  await runtime.advance(1500)
  // The one that was planned before the wake-up has gone.
  expect(begun).toEqual([0, 1000, 2000, 2500, 3500])
  await loop.stop()
})

test('a wake-up in the middle of a round is not lost, and rounds do not overlap', async () => {
  const { runtime, loop, begun, hold } = rounds(1000)
  const open = hold()
  loop.start()
  for (let times = 0; times < 3; times += 1) loop.wake()
  await runtime.advance(10)
  expect(begun).toEqual([0])
  open()
  await runtime.rest()
  expect(begun).toEqual([0, 10])
  await loop.stop()
})

test('the end waits for the round under way and lets none begin, woken or planned', async () => {
  const { runtime, loop, begun, hold } = rounds(1000)
  const open = hold()
  loop.start()
  loop.wake()
  await runtime.rest()
  let ended = false
  const end = loop.stop().then(() => (ended = true))
  expect(loop.stopped).toBe(true)
  await runtime.rest()
  expect(ended).toBe(false)
  open()
  await end
  loop.wake()
  await runtime.advance('1m')
  expect(begun).toEqual([0])
  expect(runtime.planned).toBe(0)
})

test('the first round may be later, unless it was woken before the start', async () => {
  const { runtime, loop, begun } = rounds(1000)
  loop.start(300)
  await runtime.advance(500)
  expect(begun).toEqual([300])
  await loop.stop()
  loop.wake()
  loop.start(300)
  await runtime.rest()
  expect(begun).toEqual([300, 500])
  await loop.stop()
  expect(runtime.planned).toBe(0)
})
