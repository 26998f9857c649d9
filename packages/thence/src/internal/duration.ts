/**
 * Durations as people write them.
 */
import { ThenceError } from '../errors.ts'

/** Milliseconds, or text such as `500ms`, `30s`, `5m`, `2h`, `1d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const units = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

const plainNumber = (duration: Duration): number =>
  typeof duration === 'number' ? duration : Number.NaN

/** In milliseconds. @throws CONFIG_INVALID */
export function milliseconds(what: string, duration: Duration): number {
  const text = typeof duration === 'string' ? duration : ''
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const unit = match === null ? undefined : units.get(String(match[2]))
  const value = unit === undefined ? plainNumber(duration) : Number(match?.[1]) * unit
  if (Number.isFinite(value) && value >= 0) return Math.round(value)
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what} is ${text === '' ? String(duration) : JSON.stringify(text)}; write milliseconds, or text such as 500ms, 30s, 5m, 2h or 1d.`,
  )
}
