/**
 * Long work shown on standard error: a bar for a person, else a line every five seconds.
 */
import type { Terminal } from './terminal.ts'
import { count, span } from './text.ts'

const barWidth = 30
const lineEvery = 5000
const drawEvery = 100

export class Progress {
  readonly #terminal: Terminal
  readonly #what: string
  readonly #bar: boolean
  readonly #began = Date.now()
  #told = Date.now()
  #drawn = false
  /** What was done when it was first told. */
  #first: number | undefined

  constructor(terminal: Terminal, what: string) {
    this.#terminal = terminal
    this.#what = what
    this.#bar = terminal.watched
    if (this.#bar) this.#told = 0
  }

  update(done: number, total: number): void {
    const now = Date.now()
    this.#first ??= done
    if (now - this.#told < (this.#bar ? drawEvery : lineEvery)) return
    this.#told = now
    const text = this.#text(done, total, now)
    if (!this.#bar) return this.#terminal.note(text)
    this.#drawn = true
    const filled = Math.round((barWidth * done) / Math.max(1, total))
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
    process.stderr.write(`\r\u001b[K${bar} ${text}`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn) process.stderr.write('\r\u001b[K')
    this.#drawn = false
  }

  #text(done: number, total: number, now: number): string {
    const seconds = (now - this.#began) / 1000
    const rate = seconds > 0 ? (done - (this.#first ?? 0)) / seconds : 0
    const left = rate > 0 ? `, ${span(((total - done) / rate) * 1000)} left` : ''
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total)
    return `${this.#what}: ${count(done)} of ${count(total)} (${percent} %), ${count(Math.round(rate))}/s${left}`
  }
}
