/**
 * Puts together what goes next: of each stream the messages that are old enough and needed by nobody, until the batch
 * is full.
 */
import { bytesOf } from '../internal/room.ts'
import type { Transaction } from '../ports/database.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Hold, Piece, Weighed, Weighing } from './holds.ts'
import { weigh } from './holds.ts'
import type { Rule } from './policy.ts'
import type { Target } from './targets.ts'

/** A target on its way. */
export interface Todo extends Target {
  /** Messages before this version were dealt with. */
  next: number
  /** A snapshot was asked for. */
  asked: boolean
  /** All of the stream may go: a stream as a whole goes all or not at all. */
  whole: boolean
}

export interface Held {
  readonly target: Todo
  readonly hold: Hold
}

export interface Gathered {
  readonly pieces: readonly Piece[]
  readonly held: readonly Held[]
  /** What is not dealt with yet. */
  readonly left: readonly Todo[]
}

/** Messages that go in one transaction, and their bytes. */
const batchSize = 500
const batchBytes = 4 * 1024 * 1024

interface Room {
  messages: number
  bytes: number
}

export interface Gathering extends Weighing {
  readonly rule: Rule
}

const readFrom = async (
  { events }: Transaction,
  { stream, through }: Target,
  { from, room }: { readonly from: number; readonly room: Room },
): Promise<readonly StoredMessage[]> => {
  const bounds = { from, limit: room.messages, maxBytes: room.bytes }
  const read = await events.readStream(stream, bounds)
  return read.filter(({ version }) => version <= through)
}

/** What of the rest of a stream is held, that goes as a whole. */
const restHeld = async (
  transaction: Transaction,
  target: Todo,
  { from, gathering }: { readonly from: number; readonly gathering: Gathering },
): Promise<Hold | undefined> => {
  const { tombstone } = gathering.rule
  for (let next = from; next <= target.through;) {
    const room = { messages: batchSize, bytes: batchBytes }
    const messages = await readFrom(transaction, target, { from: next, room })
    const last = messages.at(-1)
    if (last === undefined) return undefined
    const piece = { stream: target.stream, messages, tombstone }
    const { hold } = await weigh(transaction, piece, gathering)
    if (hold !== undefined) return hold
    next = last.version + 1
  }
  return undefined
}

/** How much of the messages may go; of a stream that goes as a whole, all or nothing. */
const weighed = async (
  transaction: Transaction,
  { target, piece }: { readonly target: Todo; readonly piece: Piece },
  gathering: Gathering,
): Promise<Weighed> => {
  const found = await weigh(transaction, piece, gathering)
  if (gathering.rule.remove === 'messages' || target.whole) return found
  if (found.hold !== undefined) return { ...found, free: 0 }
  const from = (piece.messages.at(-1)?.version ?? target.through) + 1
  const hold = await restHeld(transaction, target, { from, gathering })
  if (hold !== undefined) return { free: 0, hold }
  target.whole = true
  return found
}

/** The next batch: what of the targets may go, what is held, and what is left to do. */
export async function gather(
  transaction: Transaction,
  todo: readonly Todo[],
  gathering: Gathering,
): Promise<Gathered> {
  const pieces: Piece[] = []
  const held: Held[] = []
  const room = { messages: batchSize, bytes: batchBytes }
  for (const [index, target] of todo.entries()) {
    if (room.messages <= 0 || room.bytes <= 0) return { pieces, held, left: todo.slice(index) }
    const { stream, next, through } = target
    const messages = await readFrom(transaction, target, { from: next, room })
    const piece = { stream, messages, tombstone: gathering.rule.tombstone }
    const { free, hold } = await weighed(transaction, { target, piece }, gathering)
    const going = messages.slice(0, free)
    const last = going.at(-1)
    if (last !== undefined) {
      pieces.push({ ...piece, messages: going })
      target.next = last.version + 1
      room.messages -= free
      for (const message of going) room.bytes -= bytesOf(message)
    }
    if (hold !== undefined) held.push({ target, hold })
    else if (last !== undefined && last.version < through)
      return { pieces, held, left: todo.slice(index) }
  }
  return { pieces, held, left: [] }
}
