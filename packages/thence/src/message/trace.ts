/**
 * Correlation, causation and trace context, handed on from the message that is being handled to all that it leads to.
 */
import { ThenceError } from '../errors.ts'
import type { Issued, Message, Metadata } from './message.ts'
import { sagaMark } from './message.ts'
import { checkName } from './name.ts'

/** What a child takes over from the message that led to it. */
export function causedBy(parent: Issued): Metadata {
  const { traceparent, tracestate, user, correlationId } = parent.metadata
  return {
    correlationId,
    causationId: parent.id,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
    ...(user === undefined ? {} : { user }),
  }
}

const refuse = (what: string, [name, value]: readonly [string, unknown], advice: string): never => {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeof value
  throw new ThenceError('SCHEMA_INVALID', `${what}: metadata.${name} is ${shown}; ${advice}`, {
    details: { type: what, name },
  })
}

/** https://www.w3.org/TR/trace-context: version, trace, parent and flags; later versions may say more. */
const traceparentForm =
  /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-[!-~]*)?$/
/** Printable ASCII. */
const tracestateForm = /^[ -~]*$/
const longestTrace = 512

const checkTrace = (what: string, name: 'traceparent' | 'tracestate', value: unknown): void => {
  const form = name === 'traceparent' ? traceparentForm : tracestateForm
  if (typeof value === 'string' && value.length <= longestTrace && form.test(value)) return
  refuse(what, [name, value], 'hand on a W3C trace context as it came, or leave it out.')
}

const checkOwn = (what: string, own: Partial<Metadata>): void => {
  const { correlationId, causationId, traceparent, tracestate, user } = own
  if (correlationId !== undefined) checkName(`metadata.correlationId of ${what}`, correlationId)
  if (causationId !== undefined) checkName(`metadata.causationId of ${what}`, causationId)
  if (traceparent !== undefined) checkTrace(what, 'traceparent', traceparent)
  if (tracestate !== undefined) checkTrace(what, 'tracestate', tracestate)
  if (user !== undefined && (typeof user !== 'object' || user === null || Array.isArray(user)))
    refuse(what, ['user', user], 'give an object with your own facts.')
}

/** What only Thence itself writes. */
const reserved: ReadonlySet<string> = new Set(['saga', 'edits'])

/** What a sender says, without what is undefined, and without what is not for senders to say. */
const ownOf = ({ type, metadata, [sagaMark]: saga }: Message): Partial<Metadata> => {
  const own: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(metadata ?? {}))
    if (value !== undefined && !reserved.has(name)) own[name] = value
  checkOwn(type, own)
  return saga === undefined ? own : { ...own, saga }
}

/**
 * Complete metadata for `message` under `id`: its own words first, then its parent's, else it starts a correlation.
 * @throws NAME_INVALID, SCHEMA_INVALID
 */
export function metadataOf(id: string, message: Message, parent: Metadata | undefined): Metadata {
  if (message.metadata === undefined && message[sagaMark] === undefined)
    return parent ?? { correlationId: id }
  return { correlationId: id, ...parent, ...ownOf(message) }
}
