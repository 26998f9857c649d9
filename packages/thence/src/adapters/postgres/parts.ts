/**
 * Splits a batch of appends where one request depends on what an earlier one wrote: the requests of a part can be judged by
 * what is stored when the part begins, but for the versions of their streams.
 */
import type { AppendRequest, QueryItem } from '../../ports/events.ts'
import { asQuery } from './query.ts'

/** What the requests of a part would write, if all were accepted. */
class Part {
  readonly requests: AppendRequest[] = []
  readonly #ids = new Set<string>()
  readonly #onces = new Set<string>()
  readonly #types = new Set<string>()
  readonly #tags = new Set<string>()

  add(request: AppendRequest): void {
    this.requests.push(request)
    for (const { id, type, tags } of request.messages) {
      this.#ids.add(id)
      this.#types.add(type)
      for (const tag of tags) this.#tags.add(tag)
    }
    if (request.once !== undefined) this.#onces.add(keyOf(request.once))
  }

  /** It may say yes to what does not: that costs a part more, and nothing else. */
  concerns({ messages, condition, once }: AppendRequest): boolean {
    if (once !== undefined && this.#onces.has(keyOf(once))) return true
    if (messages.some(({ id }) => this.#ids.has(id))) return true
    if (condition === undefined || this.#types.size === 0) return false
    return asQuery(condition.query).some((item) => this.#mayMatch(item))
  }

  #mayMatch({ types, tags = [] }: QueryItem): boolean {
    if (types !== undefined && !types.some((type) => this.#types.has(type))) return false
    return tags.every((tag) => this.#tags.has(tag))
  }
}

const keyOf = ({ consumer, id }: NonNullable<AppendRequest['once']>): string =>
  JSON.stringify([consumer, id])

/** The parts in order; together they are the batch. */
export function partsOf(requests: readonly AppendRequest[]): readonly (readonly AppendRequest[])[] {
  if (requests.length === 1) return [requests]
  const parts: Part[] = []
  let part: Part | undefined
  for (const request of requests) {
    if (part === undefined || part.concerns(request)) parts.push((part = new Part()))
    part.add(request)
  }
  return parts.map((one) => one.requests)
}
