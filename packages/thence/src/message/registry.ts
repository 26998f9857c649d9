/**
 * Type name → definition, for everything an app uses. Two different definitions under one name are a mistake that is
 * told when the app is built.
 */
import { ThenceError } from '../errors.ts'
import type { AnyDefinition } from './define.ts'

export class Registry {
  readonly #byType = new Map<string, AnyDefinition>()
  /** Types of commands that something in this app takes. */
  readonly #taken = new Set<string>()

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

  /** Something in this app takes commands of this type. */
  take(type: string): void {
    this.#taken.add(type)
  }

  /** @throws CONFIG_INVALID if nothing takes such commands: recorded, it would never be done. */
  requireTaker(type: string): void {
    if (this.#taken.has(type)) return
    throw new ThenceError(
      'CONFIG_INVALID',
      `Nothing in this app takes ${type}; it would be recorded and never done. Add the aggregate or handler that does.`,
      { details: { type } },
    )
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
