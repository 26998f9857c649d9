/** Tests of who hears what, and that no listener disturbs what it listens to. */
import { expect, test } from 'vitest'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import type { FrequentSignal, NotableSignal, Signal } from './signals.ts'
import { Signals } from './signals.ts'

const started: NotableSignal = { name: 'rebuild-started', subscription: 's', through: 7 }
const taken: FrequentSignal = { name: 'snapshot-taken', stream: 'a-1', version: 3, took: 1 }

const hearing = (): { heard: Signal[]; hear: (signal: Signal) => void } => {
  const heard: Signal[] = []
  return { heard, hear: (signal) => void heard.push(signal) }
}

test('who names nothing hears what is notable; frequent signals are heard by name', () => {
  const signals = new Signals(virtualRuntime())
  const [notable, named] = [hearing(), hearing()]
  signals.listen(notable.hear)
  signals.listenTo(['snapshot-taken', 'rebuild-started'], named.hear)
  signals.emit(started)
  signals.emitFrequent(taken)
  expect(notable.heard).toEqual([started])
  expect(named.heard).toEqual([started, taken])
})

test('a frequent signal is wanted as long as someone listens to its name', () => {
  const signals = new Signals(virtualRuntime())
  signals.listen(() => undefined)
  expect(signals.wants('snapshot-taken')).toBe(false)
  const stops = [1, 2].map(() => signals.listenTo(['snapshot-taken'], () => undefined))
  expect([signals.wants('snapshot-taken'), signals.wants('message-handled')]).toEqual([true, false])
  for (const [index, stop] of stops.entries()) {
    stop()
    expect(signals.wants('snapshot-taken')).toBe(index === 0)
  }
})

test('a listener that throws, at once or later, disturbs neither the work nor the others', async () => {
  const signals = new Signals(virtualRuntime())
  const { heard, hear } = hearing()
  signals.listen(() => {
    throw new Error('at once')
  })
  const rejecting: () => unknown = () =>
    Promise.resolve().then(() => Promise.reject(new Error('later')))
  signals.listen(rejecting)
  signals.listen(hear)
  signals.emit(started)
  // An unhandled rejection would fail the run.
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual([started])
})

test('one that listens twice is told twice, and can stop one of them', () => {
  const signals = new Signals(virtualRuntime())
  const { heard, hear } = hearing()
  const stop = signals.listen(hear)
  signals.listen(hear)
  signals.emit(started)
  expect(heard).toHaveLength(2)
  stop()
  stop()
  signals.emit(started)
  expect(heard).toHaveLength(3)
})

test('who begins or stops listening while a signal is told changes only the next one', () => {
  const signals = new Signals(virtualRuntime())
  const { heard, hear } = hearing()
  let stop = (): void => undefined
  signals.listen(() => {
    stop()
    signals.listen(hear)
  })
  stop = signals.listen(hear)
  signals.emit(started)
  expect(heard).toHaveLength(1)
  signals.emit(started)
  expect(heard).toHaveLength(2)
})
