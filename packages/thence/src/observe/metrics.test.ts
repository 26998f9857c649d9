/** Tests of what a process measures over time: what its recent figures cover, and what is in them. */
import { expect, test } from 'vitest'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import { Meter } from './metrics.ts'
import { Signals } from './signals.ts'

test('recent figures cover the last one to two minutes, and hold just what was told in them', async () => {
  const runtime = virtualRuntime()
  const signals = new Signals(runtime)
  const meter = new Meter(signals, runtime)
  const told: number[] = []
  for (let tick = 0; tick < 50; tick += 1) {
    signals.emit({ name: 'lease-taken', subscription: 's', partition: 0, epoch: 1 })
    told.push(runtime.elapsed())
    await runtime.advance('7s')
    meter.rotate()
    const { recent, total } = meter.read({ lags: [], sizes: null })
    const now = runtime.elapsed()
    expect(total.covers).toBe(now)
    expect(total.leases.taken).toBe(told.length)
    expect(recent.covers).toBeGreaterThanOrEqual(Math.min(now, 60_000))
    expect(recent.covers).toBeLessThan(127_000)
    expect(recent.leases.taken).toBe(told.filter((time) => time >= now - recent.covers).length)
  }
})
