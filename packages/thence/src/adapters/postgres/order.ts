/**
 * In which order a store gives positions. A store keeps the order that it was made with; a process learns of it when it first works
 * with the store.
 */
import { ThenceError } from '../../errors.ts'
import type { Connection } from './connection.ts'
import type { PostgresValue } from './driver.ts'

/**
 * `sequenced`: who appends waits for the commit of who appended before; positions have no gaps.
 * `concurrent`: only for those who write to the same stream, or whose conditions are concerned; positions have gaps, and the log
 * is read up to where nobody can commit any more.
 */
export type Order = 'sequenced' | 'concurrent'

const keep = "INSERT INTO thence.meta (key, value) VALUES ('order', $1) ON CONFLICT DO NOTHING"
const tell = 'SELECT $2::bigint, pg_notify($1, $2::bigint::text)::text'
const tellSettled =
  'SELECT settled, CASE WHEN settled > $2::bigint THEN pg_notify($1, settled::text)::text END FROM thence.safe_position() AS settled'
const safe = 'SELECT thence.safe_position()'
/** A transaction of its own, before the one that reads: its snapshot is older. */
const beforehand =
  'BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SELECT thence.safe_position()::text AS position; COMMIT; '

export class Ordering {
  readonly #wanted: Order | undefined
  #known: Order | undefined

  /** @param wanted what the user says; undefined: that of the store. */
  constructor(wanted: Order | undefined) {
    this.#wanted = wanted
  }

  /** Whether it is known, and `concurrent`. */
  get concurrent(): boolean {
    return this.#known === 'concurrent'
  }

  get isKnown(): boolean {
    return this.#known !== undefined
  }

  /** Which function appends. */
  get appending(): string {
    return this.concurrent ? 'append_concurrent' : 'append'
  }

  /** The statement that tells others, on a channel, up to where the log can be read now that it goes to `head`, and gives it in its first column. */
  telling(
    channel: string,
    head: number,
    told = 0,
  ): readonly [text: string, ...values: PostgresValue[]] {
    return this.concurrent ? [tellSettled, channel, told] : [tell, channel, head]
  }

  /** What comes before a transaction that reads. */
  get beforehand(): string {
    return this.concurrent ? beforehand : ''
  }

  /** Of a store that is made just now. */
  async keep(connection: Connection): Promise<void> {
    await connection.run(keep, this.#wanted ?? 'sequenced')
  }

  /** @throws CONFIG_INVALID if the user says that it is another. */
  learn(value: string | undefined): void {
    const order = value === 'concurrent' ? value : 'sequenced'
    if (this.#wanted !== undefined && this.#wanted !== order)
      throw new ThenceError(
        'CONFIG_INVALID',
        `The store was made with order: '${order}', which it keeps; postgres({ order }) says '${this.#wanted}'. ` +
          `Say '${order}' or leave it out, or make a new store with the other and copy this one into it.`,
        { details: { order } },
      )
    this.#known = order
  }
}

/** The position up to which whoever reads after this misses nothing; in a transaction that sees what is committed meanwhile. */
export async function safePosition(connection: Connection): Promise<number> {
  return (await connection.get<[number]>(safe))![0]
}

/** What {@link Ordering.beforehand} gave. */
export function positionIn(results: unknown): number {
  const [, { rows = [] } = {}] = results as readonly { readonly rows?: readonly unknown[] }[]
  return Number((rows[0] as { readonly position: string } | undefined)?.position)
}
