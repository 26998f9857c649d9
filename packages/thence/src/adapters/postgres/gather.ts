/**
 * What is asked side by side in one transaction, none waiting for another, becomes one call for each kind of question.
 */

/** Answers many questions in one call, in their order. */
export type Answering<Question, Answer> = (
  questions: readonly Question[],
) => Promise<readonly Answer[]>

interface Asked {
  readonly answering: Answering<never, unknown>
  readonly about: string
  readonly question: unknown
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
}

export class Gather {
  #asked: Asked[] = []
  #working = false

  /**
   * Asks together with what else is asked now, or while an earlier call is under way.
   * @param answering the same one for what may share a call.
   * @param about questions of different kinds about the same are answered in the order in which they were asked.
   */
  ask<Question, Answer>(
    answering: Answering<Question, Answer>,
    about: string,
    question: Question,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#asked.push({ answering, about, question, resolve, reject })
    if (!this.#working) void this.#work()
    return promise
  }

  async #work(): Promise<void> {
    this.#working = true
    // Whoever asks in this tick shares the first call.
    await Promise.resolve()
    while (this.#asked.length > 0) await this.#call(this.#next())
    this.#working = false
  }

  /** All questions of the kind of the first that may be answered before the others. */
  #next(): readonly Asked[] {
    const answering = this.#asked[0]?.answering
    const passed = new Set<string>()
    const now: Asked[] = []
    const later: Asked[] = []
    for (const one of this.#asked)
      if (one.answering === answering && !passed.has(one.about)) now.push(one)
      else {
        passed.add(one.about)
        later.push(one)
      }
    this.#asked = later
    return now
  }

  async #call(asked: readonly Asked[]): Promise<void> {
    const answering = asked[0]?.answering
    try {
      const questions = asked.map(({ question }) => question as never)
      const answers = (await answering?.(questions)) ?? []
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index] as never)
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}
