/**
 * How much still fits into a page of the log: the one way in which every adapter counts `limit` and `maxBytes`.
 */

/** The bytes of a message that `maxBytes` counts. */
export const bytesOf = ({
  data,
  metadata,
}: {
  readonly data: string
  readonly metadata: string | null
}): number => Buffer.byteLength(data) + (metadata === null ? 0 : Buffer.byteLength(metadata))

/** A page that is being filled. The first message fits whatever its size. */
export class Room {
  readonly maxBytes: number
  #messages: number
  #bytes: number
  #empty = true
  #full = false

  constructor(limit: number, maxBytes: number = Infinity) {
    this.maxBytes = maxBytes
    this.#messages = limit
    this.#bytes = maxBytes
  }

  /** Nothing more is to be taken. */
  get full(): boolean {
    return this.#full
  }

  /** How many messages may still come. */
  get left(): number {
    return this.#messages
  }

  /** Takes a message of so many bytes; false, and then the page is full, if it does not fit. */
  take(bytes: number): boolean {
    if (this.#full) return false
    const fits = this.#empty || bytes <= this.#bytes
    if (fits) {
      this.#empty = false
      this.#messages -= 1
      this.#bytes -= bytes
    }
    this.#full = !fits || this.#messages <= 0
    return fits
  }
}
