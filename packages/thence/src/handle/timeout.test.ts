/** Tests of the time limit. */
import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import { withTimeout } from './timeout.ts'

const code = (expected: string): unknown => expect.objectContaining({ code: expected })
const limit = (outer: AbortSignal) => ({ what: 'It', milliseconds: 100, outer })
const never = (): Promise<never> => new Promise(() => undefined)

test('work that ends in time gives what it gave, and leaves no timer and no listener', async () => {
  const runtime = virtualRuntime()
  const { signal } = new AbortController()
  expect(await withTimeout(runtime, limit(signal), () => 7)).toBe(7)
  const failed = withTimeout(runtime, limit(signal), async () => {
    throw new Error('its own')
  })
  await expect(failed).rejects.toThrow('its own')
  expect([runtime.planned, getEventListeners(signal, 'abort').length]).toEqual([0, 0])
})

test('work that takes too long is told, also if it does not listen', async () => {
  const runtime = virtualRuntime()
  let told: AbortSignal | undefined
  const late = withTimeout(runtime, limit(new AbortController().signal), (signal) => {
    told = signal
    return never()
  })
  await expect(runtime.until(late)).rejects.toThrow(code('TIMEOUT'))
  expect(told?.reason).toEqual(code('TIMEOUT'))
})

test('work is told together with the outer signal', async () => {
  const runtime = virtualRuntime()
  const outer = new AbortController()
  const stopped = withTimeout(runtime, limit(outer.signal), never)
  outer.abort()
  await expect(stopped).rejects.toThrow(code('ABORTED'))
  expect(runtime.planned).toBe(0)
})

test('work whose outer signal is aborted already never begins', async () => {
  const runtime = virtualRuntime()
  const signal = AbortSignal.abort()
  const work = vi.fn<() => number>()
  await expect(withTimeout(runtime, limit(signal), work)).rejects.toThrow(code('ABORTED'))
  expect(work).not.toHaveBeenCalled()
  expect([runtime.planned, getEventListeners(signal, 'abort').length]).toEqual([0, 0])
})
