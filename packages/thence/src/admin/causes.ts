/**
 * Why a message exists and what followed from it: the tree of causes, told line by line. Thousands of siblings become
 * one line with a count, and a chain without end is cut, but the message that was asked for and its way up are shown.
 */
import type { Transaction } from '../ports/database.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { CauseMark } from './marks.ts'
import { marksAt } from './marks.ts'
import { findMessage } from './messages.ts'
import type { On } from './on.ts'
import { notFound } from './on.ts'

/** One message of the tree. */
export interface CauseMessage {
  readonly line: 'message'
  /** 0 for a first message. */
  readonly depth: number
  readonly id: string
  readonly kind: 'event' | 'command'
  readonly type: string
  readonly stream: string
  readonly position: number
  /** Unix milliseconds. */
  readonly time: number
  /** What led to it, or null. At depth 0 it is not in this store: a command that an aggregate decided at once. */
  readonly causationId: string | null
  /** The message that was asked for. */
  readonly asked: boolean
  /** Where it has not gone on; empty if it has everywhere. */
  readonly marks: readonly CauseMark[]
}

/** Messages of one type with one cause, too many to be told one by one. */
export interface CauseGroup {
  readonly line: 'group'
  readonly depth: number
  readonly type: string
  readonly count: number
  /** They and all that followed from them. */
  readonly messages: number
  /** Id of the first of them. */
  readonly first: string
}

/** What was left out because the tree is too deep or too long. */
export interface CauseSkipped {
  readonly line: 'skipped'
  readonly depth: number
  readonly messages: number
}

export type CauseLine = CauseMessage | CauseGroup | CauseSkipped

export interface Causes {
  /** The id of the message that was asked for. */
  readonly id: string
  readonly correlationId: string
  /** How many messages have this correlation; lines and what they count add up to it. */
  readonly total: number
  /** Depth first; what follows from a message stands below it, deeper by one. */
  readonly lines: readonly CauseLine[]
}

interface Node {
  readonly message: StoredMessage
  readonly parent: Node | undefined
  readonly children: Node[]
  /** It and all below it. */
  size: number
  /** The asked message, or one that led to it. */
  onWay: boolean
  /** It follows from the asked message. */
  below: boolean
}

/** More siblings of one type than this become a group. */
const alike = 4
/** Chains are cut below this depth. */
const deepest = 24
/** So much of both ends of the way to the asked message is told if the way is longer than that. */
const wayEnd = 8
/** Lines in all; what follows from the asked message may have as many again. */
const longest = 200

/**
 * A cause stands before its consequence, so that whatever ids say there is no cycle: what claims otherwise is told as
 * a first message.
 */
const grow = (messages: readonly StoredMessage[], asked: string): readonly Node[] => {
  const nodes = new Map<string, Node>()
  for (const message of messages) {
    const parent = message.causationId === null ? undefined : nodes.get(message.causationId)
    const below = parent !== undefined && (parent.below || parent.message.id === asked)
    const node: Node = { message, parent, children: [], size: 1, onWay: false, below }
    parent?.children.push(node)
    nodes.set(message.id, node)
  }
  const all = [...nodes.values()]
  for (const { parent, size } of all.toReversed()) if (parent !== undefined) parent.size += size
  let node = nodes.get(asked)
  for (; node !== undefined; node = node.parent) node.onWay = true
  return all
}

type Task = { readonly node: Node; readonly depth: number } | CauseGroup

class Telling {
  readonly lines: CauseLine[] = []
  readonly #asked: string
  /** How much of the way to the asked message is left out, after its beginning. */
  readonly #cut: number

  constructor(asked: string, way: number) {
    this.#asked = asked
    this.#cut = Math.max(0, way - 2 * wayEnd)
  }

  tell(roots: readonly Node[]): void {
    // A stack of its own: a chain may be longer than the stack of calls.
    const stack: Task[] = this.#siblings(roots, 0).toReversed()
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      if ('node' in task) stack.push(...this.#visit(task.node, task.depth).toReversed())
      else if (this.lines.length < longest) this.lines.push(task)
      else this.#skip(task.depth, task.messages)
    }
  }

  /** Tells one message; gives what is to be told after it. */
  #visit(node: Node, depth: number): readonly Task[] {
    if (node.onWay && depth === wayEnd && this.#cut > 0) return this.#jump(node, depth)
    const full = this.lines.length >= (node.below ? 2 * longest : longest)
    if (!node.onWay && (full || depth > deepest)) {
      this.#skip(depth, node.size)
      return []
    }
    const { id, kind, type, stream, position, time, causationId } = node.message
    const place = { id, kind, type, stream, position, time, causationId }
    this.lines.push({ line: 'message', depth, ...place, asked: id === this.#asked, marks: [] })
    return this.#siblings(node.children, depth + 1)
  }

  /** Leaves out the middle of the way to the asked message. */
  #jump(node: Node, depth: number): readonly Task[] {
    let next = node
    for (let left = this.#cut; left > 0; left -= 1)
      next = next.children.find(({ onWay }) => onWay) ?? next
    this.#skip(depth, node.size - next.size)
    return [{ node: next, depth: depth + 1 }]
  }

  #siblings(nodes: readonly Node[], depth: number): readonly Task[] {
    const byType = Map.groupBy(nodes, ({ message }) => message.type)
    const tasks: Task[] = []
    const grouped = new Set<string>()
    for (const node of nodes) {
      const { type } = node.message
      const same = byType.get(type) ?? []
      if (same.length <= alike || node.onWay) tasks.push({ node, depth })
      else if (!grouped.has(type)) {
        grouped.add(type)
        tasks.push(
          groupOf(
            same.filter(({ onWay }) => !onWay),
            depth,
          ),
        )
      }
    }
    return tasks
  }

  #skip(depth: number, messages: number): void {
    const last = this.lines.at(-1)
    if (last?.line !== 'skipped') this.lines.push({ line: 'skipped', depth, messages })
    else this.lines.splice(-1, 1, { ...last, messages: last.messages + messages })
  }
}

const wayLength = (all: readonly Node[]): number => all.filter(({ onWay }) => onWay).length

const groupOf = (nodes: readonly Node[], depth: number): CauseGroup => ({
  line: 'group',
  depth,
  type: nodes[0]?.message.type ?? '',
  count: nodes.length,
  messages: nodes.reduce((total, { size }) => total + size, 0),
  first: nodes[0]?.message.id ?? '',
})

const marked = async (
  transaction: Transaction,
  lines: readonly CauseLine[],
): Promise<readonly CauseLine[]> => {
  const positions = lines.flatMap((one) => (one.line === 'message' ? [one.position] : []))
  const marks = await marksAt(transaction, positions)
  return lines.map((one) =>
    one.line === 'message' ? { ...one, marks: marks.get(one.position) ?? [] } : one,
  )
}

/**
 * The tree of causes around a message.
 * @param which the id (or position) of a message, or the id of a dead letter.
 * @throws NOT_FOUND
 */
export function causes({ database }: On, which: string): Promise<Causes> {
  return database.read(async (transaction) => {
    const letter = await transaction.deadLetters.get(which)
    const asked = await findMessage(transaction, letter?.message.id ?? which)
    if (asked === undefined)
      throw notFound('message', which, {
        advice: 'Give the id or the position of a message; see: thence events tail.',
      })
    const correlationId = asked.correlationId ?? asked.id
    const messages = await transaction.events.find({ correlationId })
    const all = grow(messages, asked.id)
    const telling = new Telling(asked.id, wayLength(all))
    telling.tell(all.filter(({ parent }) => parent === undefined))
    const lines = await marked(transaction, telling.lines)
    return { id: asked.id, correlationId, total: messages.length, lines }
  })
}
