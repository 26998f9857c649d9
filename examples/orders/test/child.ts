/** The example as its users start it: a process of its own, with its output and its end. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Child {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** Calls `listener` with every line of standard error. */
  onError(listener: (line: string) => void): void
}

export function start(...words: readonly string[]): Child {
  const child = spawn(process.execPath, ['--conditions=thence-source', main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const listeners: ((line: string) => void)[] = []
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const line of text.split('\n')) for (const listener of listeners) listener(line)
  })
  const { promise, resolve, reject } = Promise.withResolvers<Ended>()
  child.on('error', reject)
  child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  return { process: child, ended: promise, onError: (listener) => void listeners.push(listener) }
}

export const run = (...words: readonly string[]): Promise<Ended> => start(...words).ended

/** The JSON object on the last line, without what differs from run to run. */
export function lastJson({ stdout }: Ended): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
}

/** What must be the same however often a run was interrupted, and on every adapter. */
export function booksOf(ended: Ended): Record<string, unknown> {
  const { seconds: _, messagesPerSecond: __, peakMemoryBytes: ___, ...rest } = lastJson(ended)
  return { ...rest, database: null }
}
