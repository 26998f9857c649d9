/**
 * An id that follows from its cause: asked again for the same, it is the same, so that what is written twice is seen to
 * be one thing.
 */
import { hash } from 'node:crypto'

/**
 * A UUID of the form of version 7 (RFC 9562), so that it sorts among the others; what is random there is a digest here.
 * @param time Unix milliseconds of the cause.
 * @param cause texts that together name one thing and nothing else.
 */
export function derivedId(time: number, ...cause: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify(cause), 'hex')
  const stamp = Math.max(0, Math.floor(time)).toString(16).padStart(12, '0').slice(-12)
  const variant = ((Number.parseInt(digest.slice(3, 4), 16) & 3) | 8).toString(16)
  const head = `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${digest.slice(0, 3)}`
  return `${head}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`
}
