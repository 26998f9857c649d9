/**
 * Starts the processes that tests need: child.ts with a task and its arguments, on the same node.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export type Child = ChildProcessByStdio<null, Readable, null>

export const startChild = (task: string, ...parameters: readonly string[]): Child =>
  spawn(process.execPath, [new URL('child.ts', import.meta.url).pathname, task, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

/** Runs a task to its end; gives the lines it printed. */
export const runChild = async (
  task: string,
  ...parameters: readonly string[]
): Promise<string[]> => {
  const child = startChild(task, ...parameters)
  const ended = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  const [status, signal] = (await ended) as [number | null, string | null]
  if (status !== 0) throw new Error(`${task} ended with ${status ?? signal}: ${lines.join('\n')}`)
  return lines
}
