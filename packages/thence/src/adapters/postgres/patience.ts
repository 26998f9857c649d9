/**
 * Waits for the server, but not for ever: one that has gone silent (a cut network, a frozen machine) neither answers nor closes the
 * connection. Timeouts of the server do not help there, so the process counts by itself.
 */
import type { Runtime } from '../../ports/runtime.ts'

/** What is thrown for an answer that did not come. It is no word of the server: what became of a commit is not known. */
export class Silence extends Error {
  override readonly name = 'Silence'
}

export class Patience {
  readonly #runtime: Pick<Runtime, 'after'>
  readonly #milliseconds: number

  /** `Infinity`: for ever. */
  constructor(runtime: Pick<Runtime, 'after'>, milliseconds: number) {
    this.#runtime = runtime
    this.#milliseconds = milliseconds
  }

  /** @throws Silence if the work takes longer; whatever comes of it later is not looked at. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const milliseconds = this.#milliseconds
    if (milliseconds === Infinity) return work()
    const { promise, reject } = Promise.withResolvers<never>()
    const cancel = this.#runtime.after(milliseconds, () =>
      reject(new Silence(`nothing for ${milliseconds} ms; the connection was closed`)),
    )
    try {
      return await Promise.race([work(), promise])
    } finally {
      cancel()
    }
  }
}
