/**
 * What the adapter remembers of the end of the log: the head and the versions of recently written streams. It holds
 * only while no other connection has written (SQLite's data_version) and is taken back when a transaction is.
 */

/** Where to go back to; see {@link Tail.mark}. */
export interface TailMark {
  readonly generation: number
  readonly length: number
  readonly head: number | undefined
}

/** How many streams' versions are remembered. */
const remembered = 10_000

export class Tail {
  #dataVersion: number | undefined
  #generation = 0
  readonly #versions = new Map<string, number>()
  /** What each change replaced, oldest first, since the transaction began. */
  readonly #replaced: { readonly stream: string; readonly version: number | undefined }[] = []
  /** The last position given, once it has been read. */
  head: number | undefined

  /** A write transaction has begun: keeps what is still true. */
  begin(dataVersion: number): void {
    if (dataVersion !== this.#dataVersion) this.forget()
    this.#dataVersion = dataVersion
    this.#replaced.length = 0
  }

  version(stream: string): number | undefined {
    return this.#versions.get(stream)
  }

  /** Remembers a version; what is found and what is written go the same way. */
  remember(stream: string, version: number): void {
    const before = this.#versions.get(stream)
    if (before === version) return
    this.#replaced.push({ stream, version: before })
    this.#set(stream, version)
    if (this.#versions.size <= remembered) return
    for (const oldest of this.#versions.keys()) {
      this.#versions.delete(oldest)
      break
    }
  }

  mark(): TailMark {
    return { generation: this.#generation, length: this.#replaced.length, head: this.head }
  }

  /** The writes since `mark` were rolled back. */
  undo(mark: TailMark): void {
    if (mark.generation !== this.#generation) return this.forget()
    this.head = mark.head
    while (this.#replaced.length > mark.length) {
      const { stream, version } = this.#replaced.pop()!
      if (version === undefined) this.#versions.delete(stream)
      else this.#set(stream, version)
    }
  }

  /** Nothing that was remembered can be relied on. */
  forget(): void {
    this.#generation += 1
    this.#versions.clear()
    this.#replaced.length = 0
    this.head = undefined
  }

  #set(stream: string, version: number): void {
    this.#versions.delete(stream)
    this.#versions.set(stream, version)
  }
}
