/**
 * What the figures were taken on, told without names: cores, memory, file system, and how long a flush takes.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { spread } from './measure.ts'

export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryGiB: number
  readonly fileSystem: string
  readonly node: string
  readonly sqlite: string
  /** Milliseconds of write + fdatasync of 4 KiB. */
  readonly flush: { readonly p50: number; readonly min: number; readonly max: number }
  /** The load of the last minute when the run began. */
  readonly load: number
}

const known: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs (in memory: the durable rows mean nothing here)',
  0x794c7630: 'overlayfs',
}

/** Writes and flushes 4 KiB, 200 times. */
export function probe(place: string): Machine['flush'] {
  const path = `${place}/probe`
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const times: number[] = []
  for (let count = 0; count < 200; count += 1) {
    const start = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - start)
  }
  closeSync(file)
  rmSync(path)
  const { median, min, max } = spread(times)
  return { p50: median, min, max }
}

export function describeMachine(place: string): Machine {
  const { type } = statfsSync(place)
  const database = new DatabaseSync(':memory:')
  const version = database.prepare('SELECT sqlite_version() AS version').get()?.['version']
  database.close()
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    fileSystem: known[type] ?? `type 0x${type.toString(16)}`,
    node: process.version,
    sqlite: String(version),
    flush: probe(place),
    load: loadavg()[0] ?? 0,
  }
}

export const machineText = ({ flush, ...machine }: Machine): string =>
  [
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.fileSystem}; `,
    `write + fdatasync of 4 KiB: p50 ${flush.p50.toFixed(3)} ms `,
    `(${flush.min.toFixed(3)} – ${flush.max.toFixed(3)}); load ${machine.load.toFixed(1)}\n`,
    `Node ${machine.node}, SQLite ${machine.sqlite}, NODE_ENV=production\n`,
  ].join('')
