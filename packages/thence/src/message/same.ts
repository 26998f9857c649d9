/**
 * Whether two messages with one id are the same message. Where it cannot be told they count as the same: to refuse what is
 * sent again is worse than not to notice another one.
 */
import type { NewMessage } from './stored.ts'

const write = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(write).join()}]`
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`).join()}}`
}

/** The one text of a JSON value, whatever the order of its keys. @throws SyntaxError unless it is JSON. */
export const canonical = (text: string): string => write(JSON.parse(text))

const isSameData = (left: string, right: string): boolean => {
  if (left === right) return true
  try {
    return canonical(left) === canonical(right)
  } catch {
    return false
  }
}

/**
 * Whether both have the same type and the same data. The order of keys says nothing. Data of two schema versions is not
 * compared: a later release writes the same differently.
 */
export const isSameMessage = (
  left: Pick<NewMessage, 'type' | 'schemaVersion' | 'data'>,
  right: Pick<NewMessage, 'type' | 'schemaVersion' | 'data'>,
): boolean =>
  left.type === right.type &&
  (left.schemaVersion !== right.schemaVersion || isSameData(left.data, right.data))
