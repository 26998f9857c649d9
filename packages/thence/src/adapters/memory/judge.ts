/**
 * What speaks against an append, in the order that ports/events.ts gives. It only looks: nothing is written until the
 * verdict is known, so a refused request leaves no trace.
 */
import { isSameMessage } from '../../message/same.ts'
import type {
  AppendCondition,
  Appended,
  AppendRequest,
  Expected,
  NewMessage,
  Once,
  StoredMessage,
  Verdict,
} from '../../ports/events.ts'

/** What a judge must be able to ask. */
export interface Past {
  recall(once: Once): Appended | undefined
  /** 0 if there is no such stream. */
  version(stream: string): number
  isTombstone(stream: string): boolean
  byId(id: string): StoredMessage | undefined
  firstMatch(condition: AppendCondition): StoredMessage | undefined
}

/** The verdict, or undefined if nothing speaks against the append. */
export function judge(request: AppendRequest, past: Past): Verdict | undefined {
  const done = request.once && past.recall(request.once)
  // Stored before is a duplicate even if `expected` or the condition no longer hold: its own messages broke them.
  const again = done ?? storedBefore(request, past)
  if (again !== undefined) return { outcome: 'duplicate', ...again }

  if (past.isTombstone(request.stream)) return { outcome: 'tombstoned' }

  const actual = past.version(request.stream)
  if (!holds(request.expected, actual)) return { outcome: 'conflict', actual }

  const match = request.condition && past.firstMatch(request.condition)
  if (match !== undefined) return { outcome: 'condition-failed', position: match.position }

  const id = takenId(request, past)
  return id === undefined ? undefined : { outcome: 'id-reused', id }
}

function holds(expected: Expected | undefined, actual: number): boolean {
  if (expected === undefined) return true
  if (expected === 'none') return actual === 0
  return expected === 'exists' ? actual > 0 : actual === expected
}

const isSame = (stored: StoredMessage, stream: string, message: NewMessage): boolean =>
  stored.stream === stream && isSameMessage(stored, message)

/** Where all of the request's messages are stored already, if they are. */
function storedBefore({ stream, messages }: AppendRequest, past: Past): Appended | undefined {
  let last: StoredMessage | undefined
  for (const message of messages) {
    const stored = past.byId(message.id)
    if (stored === undefined || !isSame(stored, stream, message)) return undefined
    if (last === undefined || stored.position > last.position) last = stored
  }
  return last && { stream, version: last.version, position: last.position, count: messages.length }
}

/** An id that another message has; else one that is stored though others of the request are not. */
function takenId({ stream, messages }: AppendRequest, past: Past): string | undefined {
  const seen = new Set<string>()
  let stored: string | undefined
  for (const message of messages) {
    const known = past.byId(message.id)
    if (seen.has(message.id) || (known && !isSame(known, stream, message))) return message.id
    if (known) stored ??= message.id
    seen.add(message.id)
  }
  return stored
}
