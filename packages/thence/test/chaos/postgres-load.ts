// The bank under load on a server: two counters and a worker, processes of their own, and whether their work goes on.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemRuntime } from 'thence'
import { type Fellow, beginBy, said } from './fleet.ts'
import type { Tally } from './place.ts'
import { checkServerBooks } from './postgres-books.ts'
import { until } from './until.ts'

const runtime = systemRuntime()

const linesOf = (file: string): number =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0

const sum = (numbers: readonly number[]): number => numbers.reduce((left, right) => left + right, 0)

export interface Hazards {
  readonly deposits: number
  readonly inDoubt: number
  /** How often each code was thrown. */
  readonly refused: Readonly<Record<string, number>>
  /** What was said with each code, by one of the counters. */
  readonly why: Readonly<Record<string, string>>
}

export interface LoadOptions {
  /** Where the processes find the server. */
  readonly url: string
  /** A directory for what they write down. */
  readonly home: string
  /** The command that starts them, if any. */
  readonly by?: readonly string[]
}

export class Load {
  readonly #counters: readonly Fellow[]
  readonly #worker: Fellow
  readonly #journal: string
  readonly #notes: string

  private constructor({ url, home, by = [] }: LoadOptions) {
    this.#journal = join(home, 'journal')
    this.#notes = join(home, 'notes')
    this.#worker = beginBy(by, 'worker', url, this.#notes, '1500ms')
    this.#counters = [
      beginBy(by, 'counter', url, this.#journal, 'a1', 'a2'),
      beginBy(by, 'counter', url, this.#journal, 'b1', 'b2'),
    ]
  }

  /** Resolves when the work goes on. */
  static async begin(options: LoadOptions): Promise<Load> {
    const load = new Load(options)
    await load.goesOn()
    return load
  }

  /** Resolves when a counter meets a store that does not answer: a deposit is refused, or in doubt if it was on its way. */
  unanswered(): Promise<void> {
    return this.#said('in doubt', 'refused STORE_FAILED')
  }

  /** Resolves when a deposit was refused with this code for the first time. */
  refused(code: string): Promise<void> {
    return this.#said(`refused ${code}`)
  }

  /** Waits for the next acknowledgement and the next effect; gives how long each took, in milliseconds. */
  goesOn(): Promise<readonly [number, number]> {
    const begun = runtime.elapsed()
    const more = async (file: string): Promise<number> => {
      const before = linesOf(file)
      await until(`more in ${file}`, () => (linesOf(file) > before + 1 ? true : undefined))
      return Math.round(runtime.elapsed() - begun)
    }
    return Promise.all([more(this.#journal), more(this.#notes)])
  }

  async #said(...wanted: readonly string[]): Promise<void> {
    const one = (): true | undefined =>
      this.#counters.some(({ lines }) => wanted.some((line) => lines.includes(line)))
        ? true
        : undefined
    await until(`${wanted.join(' or ')} of a counter`, one)
  }

  /** Ends the load, and checks that nothing is lost or doubled. `url`: where the books are. */
  async check(url: string): Promise<Hazards> {
    for (const { child } of this.#counters) child.kill('SIGTERM')
    for (const one of this.#counters) await said(one, 'done')
    const deposits = await checkServerBooks(url, this.#journal)
    this.#worker.child.kill('SIGKILL')
    await this.#worker.ended
    const tallies = this.#counters.flatMap(({ lines }) =>
      lines
        .filter((line) => line.startsWith('tally '))
        .map((line) => JSON.parse(line.slice('tally '.length)) as Tally),
    )
    const codes = [...new Set(tallies.flatMap(({ refused }) => Object.keys(refused)))]
    return {
      deposits,
      inDoubt: sum(tallies.map((one) => one.inDoubt)),
      why: Object.assign({}, ...tallies.map(({ why }) => why)) as Record<string, string>,
      refused: Object.fromEntries(
        codes.map((code) => [code, sum(tallies.map(({ refused }) => refused[code] ?? 0))]),
      ),
    }
  }
}
