// A small disk in memory, which can be filled to its last byte and has room again when that is taken away.
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'thence-disk-'))

const mount = (directory: string, megabytes: number): string | undefined => {
  const options = `size=${megabytes}m,mode=755`
  const { error, status, stderr } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', options, 'tmpfs', directory],
    { encoding: 'utf8' },
  )
  if (error !== undefined) return 'mount is not installed'
  return status === 0 ? undefined : stderr.trim()
}

/** Also where a process has it open still. */
const unmount = (directory: string): void => {
  execFileSync('umount', ['-l', directory])
  rmSync(directory, { recursive: true })
}

/** Why there is none here; undefined if there is. */
export const noDisk: string | undefined = (() => {
  const directory = newDirectory()
  const problem = mount(directory, 1)
  if (problem === undefined) unmount(directory)
  return problem
})()

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOSPC'

export interface Disk {
  readonly directory: string
  fill(): void
  clear(): void
}

/** It is taken away when the test is over. */
export const newDisk = (megabytes: number): Disk => {
  const directory = newDirectory()
  const problem = mount(directory, megabytes)
  if (problem !== undefined) throw new Error(problem)
  onTestFinished(() => unmount(directory))
  const ballast = join(directory, 'ballast')
  return {
    directory,
    fill() {
      const file = openSync(ballast, 'a')
      for (const size of [1_048_576, 4096])
        try {
          for (;;) writeSync(file, Buffer.alloc(size))
        } catch (error) {
          if (!isFull(error)) throw error
        }
      closeSync(file)
    },
    clear: () => rmSync(ballast),
  }
}
