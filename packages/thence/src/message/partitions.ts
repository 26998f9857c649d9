/**
 * Into how many partitions a definition may divide its keys.
 */
import { ThenceError } from '../errors.ts'

const most = 256

/** @throws CONFIG_INVALID unless it is a whole number from 1 to 256. */
export function checkPartitions(what: string, partitions = 1): number {
  if (Number.isSafeInteger(partitions) && partitions >= 1 && partitions <= most) return partitions
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: partitions is ${String(partitions)}; give a whole number from 1 to ${most}.`,
  )
}
