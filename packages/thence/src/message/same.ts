/**
 * Whether two messages with one id are the same message. Where it cannot be told they count as the same: to refuse what is
 * sent again is worse than not to notice another one.
 */
import type { NewMessage } from './stored.ts'

/** What JSON leaves out of an object, and writes as null in a list. */
const isAbsent = (value: unknown): boolean =>
  value === undefined || typeof value === 'function' || typeof value === 'symbol'

const ofObject = (fields: Readonly<Record<string, unknown>>): string => {
  let text = ''
  for (const key of Object.keys(fields).sort()) {
    const value = fields[key]
    if (isAbsent(value)) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(value)}`
  }
  return `{${text}}`
}

/**
 * The one text of a value, as JSON has it, whatever the order of its keys.
 * @throws TypeError for a bigint, RangeError for what refers to itself
 */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') throw new TypeError('JSON has no bigint.')
  if (typeof value !== 'object' || value === null)
    return isAbsent(value) ? 'null' : JSON.stringify(value)
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return canonical(Reflect.apply(value.toJSON, value, ['']))
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  return ofObject(value as Readonly<Record<string, unknown>>)
}

const isSameData = (left: string, right: string): boolean => {
  if (left === right) return true
  try {
    return canonical(JSON.parse(left)) === canonical(JSON.parse(right))
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
