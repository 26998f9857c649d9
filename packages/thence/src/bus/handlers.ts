/**
 * Who listens to what. Handlers are kept so that each can be removed at once, and laid out per event type as an array
 * that is never changed again: an emit walks the array it found, whatever comes and goes meanwhile.
 */
import { ThenceError } from '../errors.ts'
import type { AnyEvent } from '../message/define.ts'
import type { EventMessage } from '../message/message.ts'
import { parse } from '../message/schema.ts'

/** What can be listened to: one event, or all. */
export type Target = AnyEvent | '*'
export type Run = (event: EventMessage) => unknown

/** One registration. */
export interface Entry {
  readonly target: Target
  /** The user's function, by which `off` finds it. */
  readonly key: unknown
  readonly run: Run
  readonly name: string
  /** Grows with each registration; handlers are called in this order. */
  readonly order: number
  /** Lets go of the abort signal; called once, when the entry is removed. */
  release: () => void
  /** Told why the entry went without the user removing it: its signal aborted or the bus closed. */
  readonly lost?: (error: ThenceError) => void
}

/** A type and its handlers, or all that want every event. */
export interface Place {
  /** The one definition that this type's handlers use; none for `*`. */
  readonly definition: AnyEvent | undefined
  readonly validates: boolean
  readonly own: Map<unknown, Set<Entry>>
  /** All entries that an event of this type goes to, in order; laid out at the first emit after a change. */
  line: readonly Entry[] | undefined
}

const place = (definition?: AnyEvent): Place => ({
  definition,
  // `plain<T>()` checks nothing, so that its events pay nothing.
  validates: definition !== undefined && definition.schema['~standard'].vendor !== 'thence',
  own: new Map(),
  line: undefined,
})

export class Handlers {
  readonly #byType = new Map<string, Place>()
  readonly #every = place()

  /** Where events of `type` go. */
  find(type: string): Place {
    return this.#byType.get(type) ?? this.#every
  }

  /** The entries of `found`, in the order of their registration. */
  line(found: Place): readonly Entry[] {
    return (found.line ??= this.#layOut(found))
  }

  /** @throws NAME_TAKEN if another definition of the same type has handlers here. */
  add(entry: Entry): void {
    const { own } = this.#open(entry.target)
    const same = own.get(entry.key)
    if (same === undefined) own.set(entry.key, new Set([entry]))
    else same.add(entry)
    this.#changed(entry.target)
  }

  /** Removes one registration; does nothing if it is gone already. */
  remove(entry: Entry): void {
    const { own } = this.#at(entry.target) ?? {}
    const same = own?.get(entry.key)
    if (own === undefined || same === undefined || !same.delete(entry)) return
    if (same.size === 0) own.delete(entry.key)
    this.#changed(entry.target)
    // A type that nobody listens to is forgotten.
    if (own.size === 0 && entry.target !== '*') this.#byType.delete(entry.target.type)
    entry.release()
  }

  /** Every registration of the function `key` for `target`. */
  registered(target: Target, key: unknown): readonly Entry[] {
    return [...(this.#at(target)?.own.get(key) ?? [])]
  }

  /** The registrations for `target`, or all. */
  all(target?: Target): readonly Entry[] {
    const at = target === undefined ? [this.#every, ...this.#byType.values()] : [this.#at(target)]
    return at.flatMap((found) => (found === undefined ? [] : entriesOf(found)))
  }

  /** Removes every registration and gives them. */
  clear(): readonly Entry[] {
    const all = this.all()
    for (const entry of all) this.remove(entry)
    return all
  }

  #at(target: Target): Place | undefined {
    return target === '*' ? this.#every : this.#byType.get(target.type)
  }

  #open(target: Target): Place {
    if (target === '*') return this.#every
    const known = this.#byType.get(target.type)
    if (known === undefined) {
      const opened = place(target)
      this.#byType.set(target.type, opened)
      return opened
    }
    if (known.definition === target) return known
    throw new ThenceError(
      'NAME_TAKEN',
      `"${target.type}" is defined twice, and this bus has handlers for both. ` +
        'Define an event once and import it, or give one of them another name.',
    )
  }

  #changed(target: Target): void {
    const changed = this.#at(target)
    if (changed !== undefined) changed.line = undefined
    if (target === '*') for (const other of this.#byType.values()) other.line = undefined
  }

  #layOut(found: Place): readonly Entry[] {
    const every = found === this.#every ? [] : entriesOf(this.#every)
    return [...entriesOf(found), ...every].toSorted((a, b) => a.order - b.order)
  }
}

/**
 * `event` as its handlers get it: with what their definition's schema made of its data.
 * @throws SCHEMA_INVALID, SCHEMA_ASYNC
 */
export function checked({ definition }: Place, event: EventMessage): EventMessage {
  if (definition === undefined) return event
  const data = parse(event.type, definition.schema, event.data)
  return data === event.data ? event : { ...event, data }
}

const entriesOf = ({ own }: Place): readonly Entry[] =>
  [...own.values()].flatMap((same) => [...same])
