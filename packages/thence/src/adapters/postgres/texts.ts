/**
 * The adapter's own SQL is written for a schema named `thence`, with `thence_views` beside it; in a store with other names those take
 * their place.
 */
import { hash } from 'node:crypto'
import { ThenceError } from '../../errors.ts'

/** Characters of a name of the server's. */
const longest = 63

/** So many are remembered: those of the adapter. Some say how long a transaction may take, or up to where it copies. */
const most = 1000

/** A name of the server's, cut where it is too long, so that it is still one of its own. */
const cut = (name: string): string => {
  if (name.length <= longest) return name
  const rest = hash('sha256', name).slice(0, 16)
  return `${name.slice(0, longest - rest.length)}${rest}`
}

const expectName = (option: string, name: string): void => {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name) && !name.startsWith('pg_')) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `${option} of postgres is "${name}"; it must be a name of lower-case letters, digits and _, at most 63.`,
  )
}

export class Texts {
  readonly #schema: string
  readonly #views: string
  readonly #known = new Map<string, string>()

  /**
   * @param views the schema for the user's own tables in a store that is made; default the name of the other with `_views`.
   * @throws CONFIG_INVALID unless both are plain lower-case names of at most 63 characters, and not the same.
   */
  constructor(schema: string, views: string = cut(`${schema}_views`)) {
    expectName('schema', schema)
    expectName('views', views)
    if (views === schema)
      throw new ThenceError(
        'CONFIG_INVALID',
        `views of postgres is "${views}", which is the schema of the store itself. Name another one.`,
      )
    this.#schema = schema
    this.#views = views
  }

  /** The schema for the user's own tables in a store that is made. */
  get views(): string {
    return this.#views
  }

  /** Where is told that the log of this store has grown: a name of its own, whatever the schema is called. */
  get channel(): string {
    return cut(`thence_${this.#schema}`)
  }

  /** How many are remembered. */
  get known(): number {
    return this.#known.size
  }

  /** The text for this store's schemas. Values are never in it: they travel as parameters. */
  of(text: string): string {
    let own = this.#known.get(text)
    if (own === undefined) {
      own = text.replace(
        /\bthence(_views)?\b/g,
        (_, isViews?: string) => `"${isViews === undefined ? this.#schema : this.#views}"`,
      )
      if (this.#known.size >= most) this.#known.clear()
      this.#known.set(text, own)
    }
    return own
  }
}
