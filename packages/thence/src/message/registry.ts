/**
 * Type name → definition, for everything an app uses. Two different definitions under one name are a mistake that is
 * told when the app is built.
 */
import { ThenceError } from '../errors.ts'
import type { AnyDefinition } from './define.ts'

export class Registry {
  readonly #byType = new Map<string, AnyDefinition>()

  /** @throws NAME_TAKEN if another definition has this type name. */
  add(definition: AnyDefinition): void {
    const known = this.#byType.get(definition.type)
    if (known !== undefined && known !== definition)
      throw new ThenceError(
        'NAME_TAKEN',
        `"${definition.type}" is defined twice, as ${known.kind} and as ${definition.kind}. ` +
          'Define a message once and import it, or give one of them another name.',
      )
    this.#byType.set(definition.type, definition)
  }

  get(type: string): AnyDefinition | undefined {
    return this.#byType.get(type)
  }

  /** @throws MESSAGE_UNKNOWN, with the nearest known name. */
  require(type: string): AnyDefinition {
    const found = this.#byType.get(type)
    if (found !== undefined) return found
    const known = [...this.#byType.keys()]
    const near = known.find((name) => name.toLowerCase() === type.toLowerCase())
    throw new ThenceError(
      'MESSAGE_UNKNOWN',
      `No message "${type}" is known to this app${near === undefined ? '.' : `; did you mean "${near}"?`} ` +
        'Pass its definition to use(), handle() or messages().',
      { details: { type, known: known.length } },
    )
  }
}
