/**
 * Messages as a store would give them back, without a store: validated, encoded and decoded by the same code, deeply
 * frozen, with ids and times that repeat.
 */
import { Codec, encode, issue } from '../message/codec.ts'
import type { AnyDefinition } from '../message/define.ts'
import { encodeJson } from '../message/json.ts'
import type { Issued, Message, Recorded } from '../message/message.ts'
import { Registry } from '../message/registry.ts'
import type { NewMessage } from '../message/stored.ts'
import type { Runtime } from '../ports/runtime.ts'
import { fail, same } from './assertion.ts'

/** What a comparison looks at: data always, the rest only where the test names it. */
interface Compared {
  readonly type: string
  readonly data: unknown
  readonly id?: unknown
  readonly tags?: unknown
}

export class Recorder {
  readonly #registry = new Registry()
  readonly #codec: Codec
  readonly #runtime: Runtime
  readonly #what: string
  readonly #versions = new Map<string, number>()
  #position = 0

  /** @param what whose messages they are, for errors. */
  constructor(what: string, definitions: Iterable<AnyDefinition>, runtime: Runtime) {
    this.#what = what
    this.#runtime = runtime
    for (const definition of definitions) this.#registry.add(definition)
    this.#codec = new Codec(this.#registry, true)
  }

  /** Records a message; one that was written by an older definition is upcast. */
  record(message: Message, stream: string): Recorded {
    const version = (this.#versions.get(stream) ?? 0) + 1
    this.#versions.set(stream, version)
    this.#position += 1
    return this.#codec.decode({
      ...this.#encoded(message),
      stream,
      version,
      position: this.#position,
    })
  }

  /** Gives a command its identity. */
  issue(message: Message): Issued {
    return issue(this.#known(message), message, { id: message.id ?? this.#runtime.id() })
  }

  /** Fails unless `actual` are the `expected` messages: types and data, and id and tags where the test gives them. */
  compare(what: string, actual: readonly Message[], expected: readonly Message[]): void {
    const wanted = expected.map((message) => this.#compared(message, message))
    const found = actual.map((message, index) => this.#compared(message, expected[index]))
    same(what, found, wanted)
  }

  #encoded(message: Message): NewMessage {
    const { schemaVersion } = this.#known(message)
    const made = this.issueOld(message, schemaVersion)
    return encode(made, this.#runtime.now())
  }

  /** What an older program wrote is not valid by today's schema; only its upcast has to be. */
  issueOld(message: Message, schemaVersion: number): Issued {
    if (message.schemaVersion >= schemaVersion) return this.issue(message)
    const { kind, type, data, tags = [] } = message
    const id = message.id ?? this.#runtime.id()
    const metadata = { correlationId: id, ...message.metadata }
    return { kind, type, data, tags, id, metadata, schemaVersion: message.schemaVersion }
  }

  #compared(message: Message, wanted: Message | undefined): Compared {
    const { type } = message
    const definition = this.#registry.get(type)
    const parsed =
      definition === undefined ? message : issue(definition, message, { id: message.id ?? '?' })
    const data: unknown = JSON.parse(encodeJson(type, parsed.data))
    return {
      type,
      data,
      ...(wanted?.id === undefined ? {} : { id: message.id }),
      ...(wanted?.tags === undefined ? {} : { tags: parsed.tags }),
    }
  }

  #known(message: Message): AnyDefinition {
    const { type } = message
    return (
      this.#registry.get(type) ??
      fail(
        `${this.#what} names no message ${type}; it would never be given one. ` +
          'Leave it out of the specification, or name it in the definition.',
      )
    )
  }
}
