/**
 * What is wrong with a cron pattern or with a time zone, in words of our own: which field it is, what it may be, and an
 * example.
 */
import { meant } from '../internal/near.ts'
import { shown } from '../message/expect.ts'

interface Field {
  readonly name: string
  readonly takes: string
  readonly example: string
}

/** In their order; the first may be left out. */
const fields: readonly Field[] = [
  { name: 'second', takes: '0 to 59', example: '*/15' },
  { name: 'minute', takes: '0 to 59', example: '*/5' },
  { name: 'hour', takes: '0 to 23', example: '8-17' },
  { name: 'day of the month', takes: '1 to 31, L (the last) or 15W', example: '1,15' },
  { name: 'month', takes: '1 to 12 or JAN to DEC', example: 'JAN,JUL' },
  {
    name: 'day of the week',
    takes: '0 to 7 (0 and 7 are Sunday), SUN to SAT, or MON#2 (the second Monday)',
    example: 'MON-FRI',
  },
]

const short = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually']

const example = '0 2 * * * is two in the morning of every day'

const five = 'minute, hour, day of the month, month and day of the week'

/**
 * @param reads whether a pattern can be read; it is asked for each field alone.
 */
export function cronProblem(cron: unknown, reads: (pattern: string) => boolean): string {
  if (typeof cron !== 'string') return `give a text: ${example}.`
  const pattern = cron.trim()
  if (pattern.startsWith('@'))
    return `there is no such name.${meant(pattern, short)} There are ${short.join(', ')}.`
  const parts = pattern === '' ? [] : pattern.split(/\s+/)
  if (parts.length !== 5 && parts.length !== 6)
    return (
      `it has ${parts.length} field${parts.length === 1 ? '' : 's'}; give five (${five}), or six with a second before ` +
      `them: ${example}.`
    )
  const own = fields.slice(-parts.length)
  const isWrong = (part: string, index: number): boolean =>
    !reads(own.map((_, at) => (at === index ? part : '*')).join(' '))
  const index = parts.findIndex(isWrong)
  const field = own[index]
  if (field === undefined) return `its fields do not go together: ${example}.`
  return (
    `its ${field.name} is ${shown(parts[index])}; it takes ${field.takes}, also as lists (1,3), ranges (1-3) and steps ` +
    `(*/3), or * for all, for example ${field.example}.`
  )
}

/** What to say of a zone that there is not. */
export function zoneProblem(zone: unknown): string {
  const near = typeof zone === 'string' ? meant(zone, Intl.supportedValuesOf('timeZone')) : ''
  return `give the name of an IANA time zone, such as Europe/Berlin or UTC.${near}`
}
