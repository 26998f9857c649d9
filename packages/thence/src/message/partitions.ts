/**
 * How a definition may divide its messages: into how many partitions, and by which version of its key.
 */
import { ThenceError } from '../errors.ts'
import { expectCount } from './expect.ts'

const most = 256

/** @throws CONFIG_INVALID unless it is a whole number from 1 to 256. */
export function checkPartitions(what: string, partitions = 1): number {
  if (Number.isSafeInteger(partitions) && partitions >= 1 && partitions <= most) return partitions
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: partitions is ${String(partitions)}; give a whole number from 1 to ${most}.`,
  )
}

/** @throws CONFIG_INVALID unless it is a whole number of at least 1. */
export function checkKeyVersion(what: string, keyVersion = 1): number {
  expectCount(`keyVersion of ${what}`, keyVersion)
  return keyVersion
}
