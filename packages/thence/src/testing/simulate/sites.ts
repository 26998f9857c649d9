/** The methods of the ports, as what is called and noted. */
import { numberOf } from '../../internal/chance.ts'

/** A method of a port. */
export interface PortMethod {
  readonly method: string
  /** `port.method`. */
  readonly name: string
  /** A number that stands for it. */
  readonly code: number
}

export const portMethod = (port: string, method: string): PortMethod => {
  const name = `${port}.${method}`
  return { method, name, code: numberOf(name) }
}

/** A call inside of a transaction: where, with what, and what it gave. */
export type Note = readonly [PortMethod, readonly unknown[], unknown]
