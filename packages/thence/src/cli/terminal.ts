/**
 * Where the command writes: data to standard output, everything else to standard error, colour only where a person
 * looks.
 */
import { once } from 'node:events'
import { styleText } from 'node:util'
import { json } from './text.ts'

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green'

export interface TerminalOptions {
  /** One JSON document instead of text for people. */
  readonly json?: boolean
  /** False: no colour, whatever the terminal can do. */
  readonly color?: boolean
}

/** Where lines are not cut to a terminal they are cut here. */
const plainWidth = 160

export class Terminal {
  readonly json: boolean
  readonly #color: boolean

  constructor({ json: asJson = false, color = true }: TerminalOptions) {
    this.json = asJson
    this.#color = color
  }

  /** Whether a person reads standard error. */
  get watched(): boolean {
    return process.stderr.isTTY === true && !this.json
  }

  get width(): number {
    return process.stdout.isTTY ? process.stdout.columns : plainWidth
  }

  paint(style: Style, text: string): string {
    return this.#color ? styleText(style, text, { stream: process.stdout }) : text
  }

  print(...lines: readonly string[]): void {
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  }

  /** The one document of a command. */
  document(value: unknown): void {
    this.print(json(value, 2))
  }

  /** Waits until whoever reads has room for more. */
  async drained(): Promise<void> {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
  }

  /** Something worth knowing that is not data. */
  note(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** What one may want to do next; only for a person. */
  hint(text: string): void {
    if (this.watched)
      this.note(this.#color ? styleText('dim', text, { stream: process.stderr }) : text)
  }
}
