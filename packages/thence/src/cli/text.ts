/**
 * Values as a person reads them in a terminal. What comes from messages is made harmless here: it can neither move the
 * cursor nor hide nor forge a line.
 */
import { cleanText, quoted } from '../internal/text.ts'

export { quoted }

const longestCell = 4096

/** One harmless line. */
export const line = (text: string, limit: number = longestCell): string => cleanText(text, limit)

/** Several harmless lines; indentation stays. */
export const lines = (text: string): string =>
  text
    .split('\n')
    .map((one) => line(one.replaceAll('\t', '  ')).trimEnd())
    .join('\n')

const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const escape = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')

/** JSON that means the same and holds no character that a terminal obeys; only the line ends of `indent` are kept. */
export const json = (value: unknown, indent = 0): string =>
  (JSON.stringify(value, null, indent) ?? 'null')
    .split('\n')
    .map((one) => one.replace(unsafe, escape))
    .join('\n')

/** 12,345 */
export const count = (value: number): string => value.toLocaleString('en-US')

/** `3 messages`, `1 message`. */
export const counted = (value: number, one: string): string =>
  `${count(value)} ${one}${value === 1 ? '' : 's'}`

const units: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]

/** A length of time in its largest unit. */
export function span(milliseconds: number): string {
  for (const [size, unit] of units)
    if (milliseconds >= size) return `${count(Math.floor(milliseconds / size))} ${unit}`
  return `${Math.max(0, Math.round(milliseconds))} ms`
}

/** A measured time: `0.3 ms`, `12 ms`, `1.5 s`, `2 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${Number(milliseconds.toFixed(1))} ms`
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 10_000) return `${Number((milliseconds / 1000).toFixed(1))} s`
  return span(milliseconds)
}

/** So many per second, of `value` in a time; `-` for none. */
export function rate(value: number, milliseconds: number): string {
  if (value === 0 || milliseconds <= 0) return '-'
  const perSecond = (value * 1000) / milliseconds
  if (perSecond >= 100) return count(Math.round(perSecond))
  return perSecond < 0.1 ? '<0.1' : perSecond.toFixed(1)
}

/** `shop-1:4242`: what a person needs of the name of a process. */
export const processName = (name: string): string => line(name.replace(/\/[^/]*:(\d+)$/, ':$1'))

/** `2 min ago`, `in 3 s`, `now`. */
export function relative(time: number, now: number): string {
  const difference = now - time
  if (Math.abs(difference) < 1000) return 'now'
  return difference > 0 ? `${span(difference)} ago` : `in ${span(-difference)}`
}

/** ISO 8601 in UTC; the number itself if it is no time. */
export function iso(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString()
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB']

/** 26.5 MB */
export function bytes(value: number): string {
  let left = value
  let unit = 0
  while (left >= 1000 && unit < sizes.length - 1) {
    left /= 1000
    unit += 1
  }
  return `${unit === 0 ? left : left.toFixed(1)} ${sizes[unit] ?? ''}`
}
