/**
 * What clients were told, collected outside of every process: what was acknowledged must be there in the end, and what
 * was refused must not.
 */
import type { Recorded } from '../../message/message.ts'
import type { AppendResult } from '../../store/writer.ts'

/** A message that was acknowledged to a client. */
export interface Acknowledged {
  /** Of the command that was sent, or of the first event that was appended. */
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly result: AppendResult
}

export class Oracle {
  readonly acknowledged: Acknowledged[] = []
  /** Ids of messages that were refused for good. */
  readonly refused: Set<string> = new Set()
  /** What was told to be done outside of the store, by name: at least once each. */
  readonly outside: { readonly name: string; readonly value: unknown }[] = []
  readonly wrong: string[] = []
  readonly #first = new Map<string, AppendResult>()

  acknowledge(one: Acknowledged): void {
    this.acknowledged.push(one)
    const before = this.#first.get(one.id)
    if (before === undefined) this.#first.set(one.id, one.result)
    else if (placeOf(before) !== placeOf(one.result))
      this.wrong.push(
        `unstable answer: ${one.type} ${one.id} was acknowledged at ${placeOf(before)} and again at ${placeOf(one.result)}`,
      )
  }
}

const idsOf = (events: readonly Recorded[]): string => events.map(({ id }) => id).join(', ')

const placeOf = ({ stream, position, events }: AppendResult): string =>
  `position ${position} of ${stream} (${idsOf(events)})`
