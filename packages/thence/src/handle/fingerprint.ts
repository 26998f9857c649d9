/**
 * A name for the way in which a message failed: the same for every message that fails so, whatever its ids, numbers and
 * paths, on every machine and after every release that leaves the failing function where it is.
 */
import type { ErrorKind } from '../errors.ts'
import { digest } from '../internal/digest.ts'
import { cleanText } from '../internal/text.ts'
import type { Description } from './describe.ts'

/** So much of a message is looked at. */
const longest = 1000

const place =
  /(?:[a-z][a-z\d+.-]*:\/\/|[A-Za-z]:[\\/]|\.{0,2}[\\/])[^\s'"`()<>]*[\\/][^\s'"`()<>]*/gu
const word = /[\p{L}\p{N}_@.:#-]+/gu
const special = /[\p{N}@]/u
const edges = /^[.:#-]+|[.:#-]+$/gu

/** What a service has answered, as a rule: 404 and 503 are two failures. */
const status = /^[1-5]\d\d$/u

/** Places become `<path>`; words with a digit or an @, which are ids, numbers, times and addresses, become
 * `<id>`; but for a number from 100 to 599 that stands alone. */
export function normalise(text: string): string {
  return cleanText(text, longest)
    .replace(place, '<path>')
    .replace(word, (found) => {
      const core = found.replace(edges, '')
      return special.test(core) && !status.test(core) ? found.replace(core, '<id>') : found
    })
    .replace(/\s+/gu, ' ')
    .trim()
}

const frame = /^\s+at (?:async )?(?:(?<name>[^(]+?) \()?(?<file>[^()]*?)(?::\d+){0,2}\)?$/u

/** The function and file in which it was thrown, without folders and lines; empty if the stack does not say. */
export function topFrame(stack: string): string {
  for (const line of stack.split('\n')) {
    const found = frame.exec(line.slice(0, longest))?.groups
    if (found === undefined || found['file']?.startsWith('node:') === true) continue
    const file = found['file']?.split(/[\\/]/u).at(-1) ?? ''
    return `${found['name'] ?? ''} ${file}`.trim()
  }
  return ''
}

/** 16 hexadecimal digits. */
export function fingerprintOf(
  subscription: string,
  { name, code, message, stack }: Description,
  kind: ErrorKind,
): string {
  const parts = [subscription, kind, name, code ?? '', normalise(message), topFrame(stack)]
  return digest(parts.join('\n'))
}
