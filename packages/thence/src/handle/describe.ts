/**
 * Any thrown value as storable text: what a dead letter keeps of its why.
 */
import { storableText } from '../internal/text.ts'

export interface Description {
  readonly name: string
  readonly code: string | null
  readonly message: string
  readonly stack: string
}

const limits = { name: 256, message: 4096, stack: 8192 }

const codeOf = (error: object): string | null =>
  'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
    ? storableText(String(error.code), limits.name)
    : null

const safeString = (value: unknown): string => {
  try {
    return String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

const causes = (error: Error): string => {
  const cause = error.cause
  if (!(cause instanceof Error)) return ''
  return `\nCaused by: ${safeString(cause.stack ?? cause)}`
}

/** Never throws, whatever was thrown. */
export function describe(error: unknown): Description {
  try {
    return tell(error)
  } catch {
    return { name: 'thrown value', code: null, message: 'It cannot be described.', stack: '' }
  }
}

const tell = (error: unknown): Description => {
  if (!(error instanceof Error)) {
    const message = storableText(safeString(error), limits.message)
    return { name: 'thrown value', code: null, message, stack: '' }
  }
  return {
    name: storableText(safeString(error.name), limits.name),
    code: codeOf(error),
    message: storableText(safeString(error.message), limits.message),
    stack: storableText(`${safeString(error.stack ?? '')}${causes(error)}`, limits.stack),
  }
}
