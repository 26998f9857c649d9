/**
 * Where a write has gone, as text that travels in a header, a cookie or a URL and comes back with the next read: the
 * store's identity, the last position and how many messages. To users it is opaque; what was cut off or changed on its
 * way, and what another store gave, is told.
 */
import { ThenceError } from '../errors.ts'

/** Messages that stand together in the log. */
export interface Written {
  /** Of the last message. */
  readonly position: number
  /** 0: nothing was written, or it isn't known how much. */
  readonly count: number
}

const version = '1'
const form = /^([A-Za-z0-9-]{1,64})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})$/

/** FNV-1a (draft-eastlake-fnv): whoever cut a token off, or changed a letter, is noticed; forgers are not. */
const sum = (text: string, start = 0x811c_9dc5): number => {
  let hash = start
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  return hash
}

const invalid = (text: unknown, problem: string): ThenceError =>
  new ThenceError(
    'TOKEN_INVALID',
    `${typeof text === 'string' ? JSON.stringify(text.slice(0, 100)) : `A token that is ${typeof text}`} ${problem}`,
  )

const unchanged = 'Pass on what send or append gave in `token`, unchanged.'

/** Makes and reads the tokens of one store. */
export class Tokens {
  readonly #identity: string
  readonly #start: string
  /** Of what all tokens begin with. */
  readonly #sum: number

  /** @param identity what `Database.identity` gives. */
  constructor(identity: string) {
    this.#identity = identity
    this.#start = `${version}.${identity}.`
    this.#sum = sum(this.#start)
  }

  make({ position, count }: Written): string {
    const place = `${position.toString(36)}.${count.toString(36)}`
    return `${this.#start}${place}.${(sum(place, this.#sum) >>> 0).toString(36)}`
  }

  /** @throws TOKEN_INVALID */
  read(token: unknown): Written {
    if (typeof token !== 'string') throw invalid(token, `is no token. ${unchanged}`)
    const end = token.lastIndexOf('.')
    const text = token.slice(0, Math.max(0, end))
    const [first, ...rest] = text.split('.')
    if (first !== version && /^\d+$/.test(first ?? ''))
      throw invalid(token, `was made by another version of Thence. Write again, or ask without it.`)
    const parts = form.exec(rest.join('.'))
    if (parts === null || token.slice(end + 1) !== (sum(text) >>> 0).toString(36))
      throw invalid(token, `is no token, or was changed on its way. ${unchanged}`)
    const [, identity = '', position = '', count = ''] = parts
    if (identity !== this.#identity)
      throw invalid(
        token,
        `is a token of another store (${identity}; this one is ${this.#identity}). Ask the app that gave it, or without it.`,
      )
    return { position: Number.parseInt(position, 36), count: Number.parseInt(count, 36) }
  }
}
