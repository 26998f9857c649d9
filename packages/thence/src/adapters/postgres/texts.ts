/**
 * The adapter's own SQL is written for a schema named `thence`; in a store with another name that one takes its place.
 */
import { ThenceError } from '../../errors.ts'

export class Texts {
  readonly #schema: string
  readonly #known = new Map<string, string>()

  /** @throws CONFIG_INVALID unless it is a plain lower-case name of at most 63 characters. */
  constructor(schema: string) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_'))
      throw new ThenceError(
        'CONFIG_INVALID',
        `schema of postgres is "${schema}"; it must be a name of lower-case letters, digits and _, at most 63.`,
      )
    this.#schema = schema
  }

  /** Where is told that the log of this store has grown; the server takes names of up to 63 characters. */
  get channel(): string {
    return `thence_${this.#schema}`.slice(0, 63)
  }

  /** The text for this store's schema. Values are never in it: they travel as parameters. */
  of(text: string): string {
    let own = this.#known.get(text)
    if (own === undefined) {
      own = text.replace(/\bthence\b/g, `"${this.#schema}"`)
      this.#known.set(text, own)
    }
    return own
  }
}
