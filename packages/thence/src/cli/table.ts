/**
 * Aligned columns. Every cell becomes one harmless line; numbers stand on the right, and the last column may be cut to
 * the width of the terminal.
 */
import type { Style, Terminal } from './terminal.ts'
import { line } from './text.ts'

export interface Column {
  readonly title: string
  readonly right?: boolean
  /** Cuts this column, the last one, to the terminal. */
  readonly cut?: boolean
}

/** A cell; with a style if it says something of its own. */
export type Cell = string | { readonly text: string; readonly style: Style }

/** Columns by short notation: `>TITLE` stands right, `TITLE…` may be cut. */
export const columns = (...titles: readonly string[]): readonly Column[] =>
  titles.map((title) => ({
    title: title.replace(/^>|…$/g, ''),
    right: title.startsWith('>'),
    cut: title.endsWith('…'),
  }))

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u
const none = /[\p{Mn}\p{Me}]/u

const widthOf = (text: string): number => {
  // Printable ASCII, as nearly always.
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += none.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

const pad = (text: string, width: number, right: boolean): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return right ? space + text : text + space
}

const gap = 2

/** The lines of a table, its titles first. */
export function table(
  terminal: Terminal,
  shape: readonly Column[],
  rows: readonly (readonly Cell[])[],
): readonly string[] {
  const texts = rows.map((row) =>
    row.map((cell) => line(typeof cell === 'string' ? cell : cell.text)),
  )
  const widths = shape.map(({ title }, index) =>
    Math.max(widthOf(title), ...texts.map((row) => widthOf(row[index] ?? ''))),
  )
  const before = widths.slice(0, -1).reduce((total, width) => total + width + gap, 0)
  const print = (row: readonly string[], styles: readonly (Style | undefined)[]): string =>
    shape
      .map(({ right = false, cut = false }, index) => {
        const last = index === shape.length - 1
        const text = row[index] ?? ''
        const shown = cut ? line(text, Math.max(20, terminal.width - before)) : text
        const padded = last && !right ? shown : pad(shown, widths[index] ?? 0, right)
        const style = styles[index]
        return style === undefined ? padded : terminal.paint(style, padded)
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const titles = print(
    shape.map(({ title }) => title),
    shape.map(() => 'dim'),
  )
  return [
    titles,
    ...rows.map((row, index) =>
      print(
        texts[index] ?? [],
        row.map((cell) => (typeof cell === 'string' ? undefined : cell.style)),
      ),
    ),
  ]
}

/** Labels and what they label; a value of several lines stands below its label. */
export function fields(
  terminal: Terminal,
  list: readonly (readonly [label: string, value: string | undefined])[],
): readonly string[] {
  const given = list.filter((one): one is readonly [string, string] => one[1] !== undefined)
  const width = Math.max(...given.map(([label]) => label.length))
  return given.map(
    ([label, value]) => `${terminal.paint('dim', label.padEnd(width))}  ${line(value)}`,
  )
}
