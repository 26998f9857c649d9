/**
 * Correlation, causation and trace context, handed on from the message that is being handled to all that it leads to.
 */
import type { Issued, Metadata } from './message.ts'

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

/** Complete metadata for message `id`: its own words first, then its parent's, else it starts a correlation. */
export function metadataOf(
  id: string,
  own: Partial<Metadata> | undefined,
  parent: Metadata | undefined,
): Metadata {
  if (own === undefined) return parent ?? { correlationId: id }
  return { correlationId: id, ...parent, ...own }
}
