/**
 * Moments as one types them: a time with its offset, a date, or so long ago.
 */
import { InvalidArgumentError } from 'commander'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import { momentOf } from '../internal/when.ts'

/** All that is said to be so long ago counts from one moment, so that two of them can be compared. */
const began = Date.now()

const forms =
  'a time such as 2026-03-01T12:00Z, a date such as 2026-03-01, or a while ago such as 2h'

/** Unix milliseconds; NaN if it is neither. */
const timeOf = (text: string): number => {
  const at = momentOf(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00Z` : text)
  if (!Number.isNaN(at)) return at
  try {
    return began - milliseconds('it', text as Duration)
  } catch {
    return Number.NaN
  }
}

/** A time, or a duration before now; Unix milliseconds. */
export const time = (text: string): number => {
  const at = timeOf(text)
  if (!Number.isNaN(at)) return at
  throw new InvalidArgumentError(`It must be ${forms}.`)
}

/** A position of the log, or else a time. */
export const positionOrTime = (text: string): number | Date => {
  if (/^\d+$/.test(text)) return Number(text)
  const at = timeOf(text)
  if (!Number.isNaN(at)) return new Date(at)
  throw new InvalidArgumentError(`It must be a position such as 120, ${forms}.`)
}
