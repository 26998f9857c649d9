// Starts the processes of these tests, ends them in all ways, and waits for what they say.
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { systemRuntime } from 'thence'
import { onTestFinished } from 'vitest'

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

export interface Fellow {
  readonly child: ChildProcessByStdio<null, Readable, null>
  /** What it has said so far. */
  readonly lines: string[]
  readonly ended: Promise<unknown>
}

/** Starts a process; it is ended when the test is over at the latest. */
export const begin = (task: 'worker' | 'counter', ...parameters: readonly string[]): Fellow => {
  const program = new URL('process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, task, ...parameters], {
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

export const said = (fellow: Fellow, line: string): Promise<true> =>
  until(`"${line}"`, () => (fellow.lines.includes(line) ? true : undefined))
