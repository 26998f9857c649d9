/**
 * The adapter's own SQL is written for a schema named `thence`; in a store with another name that one takes its place.
 */
import { hash } from 'node:crypto'
import { ThenceError } from '../../errors.ts'

/** Characters of a name of the server's. */
const longest = 63

/** So many are remembered: those of the adapter. Some say how long a transaction may take, or up to where it copies. */
const most = 1000

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

  /** Where is told that the log of this store has grown: a name of its own, whatever the schema is called. */
  get channel(): string {
    const name = `thence_${this.#schema}`
    if (name.length <= longest) return name
    const rest = hash('sha256', name).slice(0, 16)
    return `${name.slice(0, longest - rest.length)}${rest}`
  }

  /** How many are remembered. */
  get known(): number {
    return this.#known.size
  }

  /** The text for this store's schema. Values are never in it: they travel as parameters. */
  of(text: string): string {
    let own = this.#known.get(text)
    if (own === undefined) {
      own = text.replace(/\bthence\b/g, `"${this.#schema}"`)
      if (this.#known.size >= most) this.#known.clear()
      this.#known.set(text, own)
    }
    return own
  }
}
