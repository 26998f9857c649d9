/**
 * Everything that was ever committed to the log, kept outside of the store, so that the checks still know what retention
 * has removed; and which streams were ended.
 */
import type { AppendRequest, StoredMessage, Verdict } from '../../ports/events.ts'
import type { Note } from './sites.ts'

export class Chronicle {
  /** What was seen to be wrong while it happened. */
  readonly wrong: string[] = []
  readonly #messages = new Map<number, StoredMessage>()
  /** Up to which version each stream was removed. */
  readonly #trimmed = new Map<string, number>()
  readonly #ended = new Set<string>()

  /** A transaction is committed. */
  commit(notes: readonly Note[]): void {
    for (const [{ name }, [first], result] of notes)
      if (name === 'events.append') this.appended(first as AppendRequest, result as Verdict)
      else if (name === 'events.trim') this.#removed(first as string, result as number)
      else if (name === 'events.tombstone' && result === true) this.#ended.add(first as string)
  }

  /** An append is committed. */
  appended({ stream, messages }: AppendRequest, verdict: Verdict): void {
    if (verdict.outcome !== 'appended') return
    if (this.#ended.has(stream)) this.wrong.push(`${stream} was ended, and appended to after that`)
    for (const [index, message] of messages.entries()) {
      const before = messages.length - 1 - index
      const [position, version] = [verdict.position - before, verdict.version - before]
      this.#messages.set(position, { ...message, stream, position, version })
    }
  }

  /** What is in the log, with what retention has removed of it. */
  whole(log: readonly StoredMessage[]): readonly StoredMessage[] {
    if (this.#trimmed.size === 0) return log
    const there = new Set(log.map(({ position }) => position))
    const removed = [...this.#messages.values()].filter(
      ({ position, stream, version }) =>
        !there.has(position) && version <= (this.#trimmed.get(stream) ?? 0),
    )
    return [...log, ...removed].toSorted((one, other) => one.position - other.position)
  }

  #removed(stream: string, messages: number): void {
    this.#trimmed.set(stream, (this.#trimmed.get(stream) ?? 0) + messages)
  }
}
