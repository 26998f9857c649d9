// The `thence` command as a process of its own, as a user runs it.
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
/** A process of TypeScript starts twice as fast with what the last one compiled. */
const NODE_COMPILE_CACHE = join(
  import.meta.dirname,
  '../../../../node_modules/.cache/thence-command',
)

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Child = ChildProcessByStdio<null, Readable, Readable>

export interface Environment {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

const begin = (args: readonly string[], { env = {}, cwd }: Environment): Child => {
  const { THENCE_DB: _, FORCE_COLOR: __, NO_COLOR: ___, NODE_OPTIONS: ____, ...rest } = process.env
  return spawn(process.execPath, ['--conditions=thence-source', main, ...args], {
    env: { ...rest, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
}

const all = (stream: Readable): (() => string) => {
  const chunks: string[] = []
  stream.setEncoding('utf8').on('data', (chunk: string) => void chunks.push(chunk))
  return () => chunks.join('')
}

const end = (child: Child): Promise<number | null> =>
  new Promise((resolve) => void child.once('close', resolve))

/** Runs it to its end. */
export async function thence(args: readonly string[], options: Environment = {}): Promise<Ended> {
  const child = begin(args, options)
  const stdout = all(child.stdout)
  const stderr = all(child.stderr)
  const code = await end(child)
  return { code, stdout: stdout(), stderr: stderr() }
}

/** Runs it and gives its lines as they come. */
export function watching(args: readonly string[], options: Environment = {}) {
  const child = begin(args, options)
  const stderr = all(child.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = end(child)
  return {
    /** The next line of standard output. */
    async line(): Promise<string> {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`It ended: ${stderr()}`)
      return value
    },
    async interrupt(): Promise<Pick<Ended, 'code' | 'stderr'>> {
      child.kill('SIGINT')
      return { code: await ended, stderr: stderr() }
    },
    /** Stops reading, as `| head` does. */
    async close(): Promise<number | null> {
      child.stdout.destroy()
      return ended
    },
  }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Text without what differs from run to run: ids, times, and the width of columns. */
export const plain = (text: string): string =>
  text
    .replace(uuid, 'UUID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/"until":\d+/g, '"until":TIME')
    .replace(/\b([\d,]+ (ms|s|min|h|d) ago|in [\d,]+ (ms|s|min|h|d)|now)\b/g, 'WHEN')
    .replace(/\b[\d,]+ (ms|s|min|h|d)\b/g, 'SPAN')
    .replace(/[\d.]+ [kM]?B\b/g, 'SIZE')
    .replace(/(\S) {2,}/g, '$1  ')
    .replace(/^ +(?=[\d-])/gm, '')
    .trimEnd()
