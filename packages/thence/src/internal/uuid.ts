/**
 * UUID version 7 (RFC 9562 §5.7) with a counter in the bits after the timestamp (§6.2, method 1), so that ids of one
 * source sort by creation even within a millisecond and when the clock steps back.
 */

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

const poolSize = 8 * 512

/** When a UUIDv7 was made, Unix milliseconds, by the clock of its source; NaN of a text that begins otherwise. */
export const timeOf = (id: string): number => Number(`0x${id.slice(0, 8)}${id.slice(9, 13)}`)

/** A source of UUIDv7 text; never gives the same id twice. */
export class UuidSource {
  readonly #now: () => number
  readonly #fill: (bytes: Uint8Array) => void
  readonly #pool = new Uint8Array(poolSize)
  #used = poolSize
  #time = 0
  #counter = 0
  #prefix = ''

  /** @param fill fills the array with random bytes. */
  constructor(now: () => number, fill: (bytes: Uint8Array) => void) {
    this.#now = now
    this.#fill = fill
  }

  next(): string {
    if (this.#used >= poolSize) this.#refill()
    const at = this.#used
    this.#used += 8
    this.#tick(at)
    const pool = this.#pool
    const high = hex[0x70 | (this.#counter >> 8)] as string
    const low = hex[this.#counter & 0xff] as string
    const variant = hex[0x80 | ((pool[at] as number) & 0x3f)] as string
    const byte = (offset: number): string => hex[pool[at + offset] as number] as string
    const tail = byte(2) + byte(3) + byte(4) + byte(5) + byte(6) + byte(7)
    return `${this.#prefix}-${high}${low}-${variant}${byte(1)}-${tail}`
  }

  // 12 bits of counter after each new millisecond, starting in the lower half; when they run out, time is borrowed.
  #tick(at: number): void {
    const now = this.#now()
    if (now > this.#time) this.#start(now, at)
    else if (this.#counter < 0xfff) this.#counter += 1
    else this.#start(this.#time + 1, at)
  }

  #start(time: number, at: number): void {
    this.#time = time
    this.#counter =
      (((this.#pool[at] as number) << 3) | ((this.#pool[at + 1] as number) & 7)) & 0x7ff
    const text = time.toString(16).padStart(12, '0')
    this.#prefix = `${text.slice(0, 8)}-${text.slice(8)}`
  }

  #refill(): void {
    this.#fill(this.#pool)
    this.#used = 0
  }
}
