/**
 * What happened in a simulation: counts of every hazard and every protection, a timeline for people, and the books. It
 * stands outside of all processes and forgets nothing when one of them crashes.
 */
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Retry } from '../../ports/retries.ts'
import { Books } from './books.ts'
import type { Life } from './life.ts'
import type { Note, PortMethod } from './sites.ts'
import { tellAppend, tellNote } from './telling.ts'
import type { World } from './world.ts'

export interface Line {
  /** Milliseconds since the beginning. */
  readonly time: number
  readonly who: string
  readonly what: string
}

const outcomeMarks: Readonly<Record<Verdict['outcome'], string | undefined>> = {
  appended: undefined,
  duplicate: 'a duplicate was recognised',
  conflict: 'an append conflicted',
  'condition-failed': 'a condition did not hold',
  'id-reused': 'an id was reused',
  tombstoned: 'an append met a tombstone',
}

const retryMarks: Readonly<Record<Retry['state'], string>> = {
  due: 'a message was to be retried',
  parked: 'a message was parked',
  queued: 'a message waited behind its key',
}

/** What an answer of a port shows, whether it is committed or not. */
const seenAt: Readonly<Record<string, (result: unknown) => string | undefined>> = {
  'checkpoints.move': (moved) => (moved === false ? 'a late owner was fenced' : undefined),
  'checkpoints.holds': (held) => (held === false ? 'a late owner was fenced' : undefined),
  'checkpoints.divide': () => 'partitions were divided anew',
  'retries.settle': (settled) => (settled === false ? 'a retry was settled by another' : undefined),
  'inbox.remember': (isNew) => (isNew === false ? 'what is done once was done already' : undefined),
  'events.trim': (removed) => ((removed as number) > 0 ? 'retention removed messages' : undefined),
  'events.tombstone': (ended) => (ended === true ? 'retention ended a stream' : undefined),
  'inbox.recall': (found) => (found === undefined ? undefined : 'a command was known already'),
  'events.append': (verdict) => outcomeMarks[(verdict as Verdict).outcome],
}

export class History {
  readonly timeline: Line[] = []
  /** For the story of something that never came. */
  lastFailure = 'no process failed to start'
  readonly books: Books = new Books((name) => this.mark(name))
  readonly #world: World
  readonly #counts = new Map<string, number>()
  readonly #detailed: boolean

  /** @param detailed whether to write the timeline. */
  constructor(world: World, detailed: boolean) {
    this.#world = world
    this.#detailed = detailed
  }

  /** How often each thing happened. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  mark(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** A hazard strikes a process. */
  struck(life: Life, fault: string, where = ''): void {
    this.mark(fault)
    this.tell(life, `${fault}${where === '' ? '' : ` at ${where}`}`)
  }

  tell({ process, number }: Pick<Life, 'process' | 'number'>, what: string): void {
    if (this.#detailed) this.say(`p${process + 1}.${number}`, what)
  }

  say(who: string, what: string): void {
    if (this.#detailed) this.timeline.push({ time: this.#world.age, who, what })
  }

  /** A process could not start, or not stop, because of an error. */
  failed(life: Life, what: string, error: unknown): void {
    this.lastFailure = `${what}: ${String(error)}`
    this.struck(life, what, String(error))
  }

  /** No hazard strikes any more. */
  healed(): void {
    this.books.pauses.healed(this.#world.age)
    this.say('all', 'healed')
  }

  /** A handler begins an attempt. */
  began(handler: string): void {
    this.books.pauses.began(handler, this.#world.age)
  }

  /** A port has answered. */
  answered({ name }: PortMethod, result: unknown): void {
    const mark = seenAt[name]?.(result)
    if (mark !== undefined) this.mark(mark)
  }

  /** An append that stood for itself is committed. */
  appended(life: Life, requests: readonly AppendRequest[], verdicts: readonly Verdict[]): void {
    for (const [index, { outcome }] of verdicts.entries()) {
      const mark = outcomeMarks[outcome]
      if (mark !== undefined) this.mark(mark)
      const request = requests[index] as AppendRequest
      this.books.chronicle.appended(request, verdicts[index] as Verdict)
      if (this.#detailed) this.tell(life, `${tellAppend(request)}: ${outcome}`)
    }
  }

  /** A transaction is committed. */
  committed(life: Life, notes: readonly Note[]): void {
    this.books.commit(notes, this.#world.age)
    for (const [{ name }, [row]] of notes)
      if (name === 'retries.put') this.mark(retryMarks[(row as Retry).state])
    if (!this.#detailed) return
    const what = notes.map(tellNote).filter((text) => text !== '')
    if (what.length > 0) this.tell(life, `committed: ${what.join('; ')}`)
  }
}
