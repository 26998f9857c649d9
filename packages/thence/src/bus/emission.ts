/**
 * One event on its way to several handlers that take their time: counts them down and names the one that failed. It
 * takes one look at each promise as long as all goes well, which is why a failure is traced to its handler afterwards.
 */
import type { EventMessage } from '../message/message.ts'
import type { Report } from './failure.ts'
import type { Entry } from './handlers.ts'

/** What an emission needs to know beside its promises. */
export interface Emission {
  readonly event: EventMessage
  readonly line: readonly Entry[]
  readonly report: Report
  /** Called once, when all handlers have settled. */
  readonly finished: () => void
}

/** By place in the line; handlers with nothing to wait for leave a gap, never at the end. */
export type Promises = readonly (Promise<unknown> | undefined)[]

/**
 * Resolves when all `promises` have settled and all failures are told; never rejects.
 *
 * What is made here is made for every event, so it is little: functions shared by all handlers, and the promise of the
 * last handler continued, instead of a new one, for as long as the last is the last to settle.
 */
export function settlement(promises: Promises, emission: Emission): Promise<void> {
  let left = 1
  let traced = false
  let rest: PromiseWithResolvers<void> | undefined

  const settled = (): void => {
    if (--left > 0) return
    emission.finished()
    rest?.resolve()
  }
  const settledLast = (): Promise<void> | undefined => {
    settled()
    return left > 0 ? (rest ??= Promise.withResolvers()).promise : undefined
  }
  const rejected = (): Promise<void> | undefined => {
    if (!traced) left += trace(promises, emission, settled)
    traced = true
    return settledLast()
  }

  const end = promises.length - 1
  for (let index = 0; index < end; index++) {
    const promise = promises[index]
    if (promise === undefined) continue
    left++
    promise.then(settled, rejected)
  }
  return (promises[end] ?? Promise.resolve()).then(settledLast, rejected)
}

/**
 * Looks at every promise again, this time knowing whose it is; what rejects later is told when it does. Gives how many
 * there are; each calls `settled` once.
 */
function trace(promises: Promises, { event, line, report }: Emission, settled: () => void): number {
  let count = 0
  for (const [index, promise] of promises.entries()) {
    const entry = line[index]
    if (promise === undefined || entry === undefined) continue
    count++
    promise.then(settled, (error: unknown) => {
      const told = report(error, { handler: entry.name, event })
      if (told === undefined) settled()
      else void told.then(settled)
    })
  }
  return count
}
