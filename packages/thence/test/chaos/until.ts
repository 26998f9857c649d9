// Waits for what happens in other processes.
import { systemRuntime } from 'thence'

const runtime = systemRuntime()

/** Resolves as soon as `condition` gives something; fails after a time that only ends what would never end. */
export const until = async <T>(
  what: string,
  condition: () => T | undefined | Promise<T | undefined>,
  within = 60_000,
): Promise<T> => {
  const end = runtime.now() + within
  for (;;) {
    const found = await condition()
    if (found !== undefined) return found
    if (runtime.now() > end) throw new Error(`Waited ${within} ms in vain for ${what}.`)
    await new Promise<void>((resolve) => void runtime.after(5, resolve))
  }
}
