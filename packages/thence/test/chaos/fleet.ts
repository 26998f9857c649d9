// Starts the processes of these tests, ends them in all ways, and waits for what they say.
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { until } from './until.ts'

export interface Fellow {
  readonly child: ChildProcessByStdio<null, Readable, null>
  /** What it has said so far. */
  readonly lines: string[]
  readonly ended: Promise<unknown>
}

type Task = 'worker' | 'counter' | 'killer'

/** Starts a process; it is ended when the test is over at the latest. */
export const begin = (task: Task, ...parameters: readonly string[]): Fellow =>
  beginBy([], task, ...parameters)

/** The same, started by another command, for example one that puts it into another network. */
export const beginBy = (
  by: readonly string[],
  task: Task,
  ...parameters: readonly string[]
): Fellow => {
  const file = task === 'killer' ? 'killer.ts' : 'process.ts'
  const program = new URL(file, import.meta.url).pathname
  const [command = '', ...rest] = [...by, process.execPath, program, task, ...parameters]
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const ended = once(child, 'close')
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  return { child, lines, ended }
}

export const said = (fellow: Fellow, line: string, within?: number): Promise<true> =>
  until(`"${line}"`, () => (fellow.lines.includes(line) ? true : undefined), within)
