/**
 * A trap for the time, the timers and the chance of the real machine: what calls them inside of a simulated run is noted,
 * because such a run would not repeat. Calls from anywhere else (the test runner's, another test's) are let through.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** What must not be called in a simulated run. */
export const realCalls = [
  'Date.now',
  'new Date',
  'Math.random',
  'setTimeout',
  'setInterval',
  'performance.now',
  'crypto.randomUUID',
] as const

export type RealCall = (typeof realCalls)[number]

/** Is told which call it was, and from where. */
type Note = (call: RealCall, from: string) => void

type Method = (...parameters: unknown[]) => unknown

/** Which run the present call belongs to, if any. */
const watching = new AsyncLocalStorage<Note>()

/** What reads cron patterns asks for the present time, and is given another that counts: that does no harm. */
const harmless = new URL('../../schedule/cron.', import.meta.url).pathname

/** The message of the error, and what of this file is on the stack: the trap, `note` and `caller`. */
const ownLines = 4

/** From where a call comes, by the first line of the stack that is neither of this file nor of Node; absent: no harm. */
const caller = (): string | undefined => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 12
  const lines = (new Error('Who calls?').stack ?? '').split('\n').slice(ownLines)
  Error.stackTraceLimit = stackTraceLimit
  if (lines.some((line) => line.includes(harmless))) return undefined
  const found = lines.find((line) => !line.includes('<anonymous>') && !line.includes('node:'))
  return found?.trim().replace(/^at /u, '') ?? 'an unknown place'
}

const note = (call: RealCall): void => {
  const run = watching.getStore()
  if (run === undefined) return
  const from = caller()
  if (from !== undefined) run(call, from)
}

/** Replaces a member of an object; returns how to put it back. */
const replace = (target: object, name: string, value: unknown): (() => void) => {
  const before = Reflect.getOwnPropertyDescriptor(target, name)
  Reflect.defineProperty(target, name, { value, writable: true, configurable: true })
  return () => {
    // Somebody else has replaced it meanwhile: then it is theirs.
    if (Reflect.get(target, name) !== value) return
    if (before === undefined) Reflect.deleteProperty(target, name)
    else Reflect.defineProperty(target, name, before)
  }
}

const method = (target: object, name: string, call: RealCall): (() => void) => {
  const real = Reflect.get(target, name) as Method
  const trapped = new Proxy(real, {
    apply(_, self, parameters: unknown[]): unknown {
      note(call)
      return Reflect.apply(real, self, parameters)
    },
  })
  return replace(target, name, trapped)
}

/** `new Date()` asks for the time; `new Date(value)` does not. */
const dates = (): readonly (() => void)[] => {
  const real = globalThis.Date
  const trapped = new Proxy(real, {
    apply(target, self, parameters: unknown[]): unknown {
      note('new Date')
      return Reflect.apply(target, self, parameters)
    },
    construct(target, parameters: unknown[], newTarget): object {
      if (parameters.length === 0) note('new Date')
      return Reflect.construct(target, parameters, newTarget) as object
    },
  })
  // So that a date is still known by its constructor.
  return [replace(real.prototype, 'constructor', trapped), replace(globalThis, 'Date', trapped)]
}

const member = (name: string): object => Reflect.get(globalThis, name) as object

const set = (): (() => void) => {
  const undo = [
    method(globalThis.Date, 'now', 'Date.now'),
    ...dates(),
    method(Math, 'random', 'Math.random'),
    method(globalThis, 'setTimeout', 'setTimeout'),
    method(globalThis, 'setInterval', 'setInterval'),
    method(member('performance'), 'now', 'performance.now'),
    method(member('crypto'), 'randomUUID', 'crypto.randomUUID'),
  ]
  return () => {
    for (const each of undo.toReversed()) each()
  }
}

let runs = 0
let restore = (): void => undefined

const advice: Readonly<Record<RealCall, string>> = {
  'Date.now': 'Take the time from `runtime.now()` of the context',
  'new Date': 'Take the time from `new Date(runtime.now())` with the runtime of the context',
  'Math.random': 'Draw from `chance` in the workload, and from `runtime.random()` in the app',
  setTimeout: 'Wait with `wait` in the workload, and with `runtime.after` in the app',
  setInterval: 'Plan with `runtime.after` of the context',
  'performance.now': 'Measure with `runtime.elapsed()` of the context',
  'crypto.randomUUID': 'Take ids from `id()` in the workload, and from `runtime.id()` in the app',
}

/** What a run is told that made such a call. */
export const realCallProblem = (call: RealCall, from: string): string =>
  `not-simulated: ${call} was called, at ${from}. A seed would not repeat: that is not the time and the chance of the ` +
  `simulation. ${advice[call]}. If nothing that happens depends on it, allow it: { allows: ['${call}'] }.`

/** Runs `work`; `noted` is told of every call that it makes of the real machine. What was replaced is put back. */
export async function trapped<T>(noted: Note, work: () => Promise<T>): Promise<T> {
  if (runs === 0) restore = set()
  runs += 1
  try {
    return await watching.run(noted, work)
  } finally {
    runs -= 1
    if (runs === 0) restore()
  }
}
