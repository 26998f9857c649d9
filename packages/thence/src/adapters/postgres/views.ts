/**
 * The schema to which names lead that have none in the user's own SQL: first to this one, then wherever the connection's search_path
 * says. A store keeps the one that it was made with; a process learns of it when it first works with the store.
 */
import { ThenceError } from '../../errors.ts'
import type { Connection } from './connection.ts'

const own = 'thence_views'
const held =
  "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('thence_views') ORDER BY 1 LIMIT 1"

export class Views {
  readonly #wanted: string | undefined
  #known: string | undefined

  /** @param wanted what the user says; undefined: that of the store. */
  constructor(wanted: string | undefined) {
    this.#wanted = wanted
  }

  /** Its name; undefined in a store that has none yet. */
  get known(): string | undefined {
    return this.#known
  }

  /**
   * What stands in the way of a new store. Where nobody has named a schema, one with something in it is that of another store, perhaps
   * of one that was dropped: its views would begin with rows that are not theirs.
   * @throws CONFIG_INVALID
   */
  async refuseFilled(connection: Connection): Promise<void> {
    const [name] = (this.#wanted === undefined && (await connection.get<[string]>(held))) || []
    if (name === undefined) return
    const schema = connection.texts.of(own)
    throw new ThenceError(
      'CONFIG_INVALID',
      `A new store makes its views in the schema ${schema}, in which something is already: ${name}. If that is left of a store ` +
        `that was dropped, DROP SCHEMA ${schema} CASCADE; or say where they are to be: postgres({ views }).`,
      { details: { schema: this.#wanted, table: name } },
    )
  }

  /** @throws CONFIG_INVALID if the user says that it is another. */
  learn(value: string | undefined): void {
    if (this.#wanted !== undefined && value !== undefined && this.#wanted !== value)
      throw new ThenceError(
        'CONFIG_INVALID',
        `The store has the tables of its views in the schema '${value}'; postgres({ views }) says '${this.#wanted}'. ` +
          `Say '${value}' or leave it out.`,
        { details: { views: value } },
      )
    this.#known = value
  }
}

/** A name as it stands in SQL. */
export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`
