/**
 * Waiting between two looks.
 */
import { systemRuntime } from '../app/system-runtime.ts'
import { wait } from '../ports/wait.ts'

const runtime = systemRuntime()

/** Resolves after so many milliseconds, or as soon as the signal is aborted. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  wait(runtime, milliseconds, signal).catch(() => undefined)
