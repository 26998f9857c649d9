/**
 * Starts the processes that tests need: child.ts with a task and its arguments, on the same node.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export type Child = ChildProcessByStdio<null, Readable, null>

const program = new URL('child.ts', import.meta.url).pathname

const start = (command: string, parameters: readonly string[]): Child =>
  spawn(command, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })

export const startChild = (task: string, ...parameters: readonly string[]): Child =>
  start(process.execPath, [program, task, ...parameters])

/** Runs a task to its end; gives the lines it printed. */
export const runChild = (task: string, ...parameters: readonly string[]): Promise<string[]> =>
  linesOf(task, startChild(task, ...parameters))

/** Runs a task whose files may not grow beyond so many blocks of 512 bytes. */
export const runLimited = (
  blocks: number,
  task: string,
  ...parameters: readonly string[]
): Promise<string[]> => {
  const script = 'ulimit -f "$0" && exec "$@"'
  const command = [process.execPath, ...process.execArgv, program, task, ...parameters]
  return linesOf(task, start('sh', ['-c', script, String(blocks), ...command]))
}

const linesOf = async (task: string, child: Child): Promise<string[]> => {
  const ended = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  const [status, signal] = (await ended) as [number | null, string | null]
  if (status !== 0) throw new Error(`${task} ended with ${status ?? signal}: ${lines.join('\n')}`)
  return lines
}
