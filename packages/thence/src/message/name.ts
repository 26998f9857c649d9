/**
 * Which names are allowed: short, printable, without surprises in a stream name, a log line or a terminal.
 */
import { ThenceError } from '../errors.ts'

const maxLength = 256
/** Most names: quicker to see than that nothing in them is forbidden. */
const plain = /^[ -~]{1,256}$/
// Control and format characters would let a name forge log lines or hide in a terminal.
const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** Throws NAME_INVALID unless `name` is 1 to 256 characters without control or format characters, not beginning with `$`. */
export function checkName(what: string, name: string): void {
  if (
    typeof name === 'string' &&
    (plain.test(name) || (name.length > 0 && name.length <= maxLength && !forbidden.test(name)))
  ) {
    if (!name.startsWith('$')) return
    throw new ThenceError(
      'NAME_INVALID',
      `${what} "${name}" begins with $, which is kept for Thence itself.`,
    )
  }
  throw new ThenceError(
    'NAME_INVALID',
    `${what} ${JSON.stringify(String(name).slice(0, 80))} must be 1 to ${maxLength} characters without control characters.`,
  )
}

/** As {@link checkName}, and without `-`, which separates a category from the id in a stream's name. */
export function checkCategory(what: string, name: string): void {
  checkName(what, name)
  if (!name.includes('-')) return
  const suggestion = name.replace(
    /-+(.)?/g,
    (_, letter: string | undefined) => letter?.toUpperCase() ?? '',
  )
  throw new ThenceError(
    'NAME_INVALID',
    `${what} "${name}" must not contain "-": it separates the category from the id in a stream's name. Try "${suggestion}".`,
  )
}

/** What stands before the first `-` of a stream's name; all of it if there is none. */
export const categoryOf = (stream: string): string => stream.split('-', 1)[0] ?? stream
