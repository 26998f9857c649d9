/**
 * `thence rebuild diff`: what differs between two versions of a view, in numbers and with a few rows of each.
 */
import { diffView } from '../admin/views.ts'
import type { VersionDiff } from '../project/compare.ts'
import type { RowDiff } from '../project/diff.ts'
import type { Verb } from './session.ts'
import { given } from './session.ts'
import type { Terminal } from './terminal.ts'
import { count, counted, json, line } from './text.ts'

const mark = (row: RowDiff): '+' | '-' | '~' => {
  if (!('old' in row)) return '+'
  return 'new' in row ? '~' : '-'
}

const styles = { '+': 'green', '-': 'red', '~': 'yellow' } as const

const linesOf = (terminal: Terminal, row: RowDiff): readonly string[] => {
  const sign = mark(row)
  const key = row.table === undefined ? row.key : `${row.table}: ${row.key}`
  const paint = (text: string): string => terminal.paint(styles[sign], line(text))
  if (sign === '+') return [paint(`+ ${key}  ${json(row.new)}`)]
  if (sign === '-') return [paint(`- ${key}  ${json(row.old)}`)]
  return [
    paint(`~ ${key}  old ${json(row.old)}`),
    paint(`  ${' '.repeat(key.length)}  new ${json(row.new)}`),
  ]
}

const summary = ({ old, new: built, same, added, removed, changed }: VersionDiff): string => {
  const versions = `version ${old.version} (position ${count(old.position)}) → version ${built.version} (position ${count(built.position)})`
  return `${versions}: ${count(same)} same, ${count(added)} added, ${count(removed)} removed, ${count(changed)} changed`
}

export const diff: Verb<{ readonly limit?: number }> = async (
  { on, terminal },
  { args: [name = ''], options },
) => {
  const found = await diffView(on, name, given({ limit: options.limit }))
  if (terminal.json) return terminal.document({ projection: name, ...found })
  terminal.print(summary(found))
  if (found.apart > 0)
    terminal.note(
      `The two stand ${counted(found.apart, 'event')} apart: what those changed is counted as a difference.`,
    )
  terminal.print(...found.examples.flatMap((row) => linesOf(terminal, row)))
  const more = found.added + found.removed + found.changed - found.examples.length
  if (more > 0) terminal.print(`… ${counted(more, 'more row')}`)
}
