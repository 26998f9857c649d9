/**
 * `thence why`: what led to a message and what followed from it, as a tree.
 */
import type { Command } from 'commander'
import type { CauseLine } from '../admin/causes.ts'
import { causes } from '../admin/causes.ts'
import type { Verb } from './session.ts'
import { onStore } from './session.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import { count, counted, relative } from './text.ts'

/** Whether another line of the same depth follows under the same cause. */
const hasSibling = (lines: readonly CauseLine[], index: number, depth: number): boolean => {
  for (const next of lines.slice(index + 1)) {
    if (next.depth < depth) return false
    if (next.depth === depth) return true
  }
  return false
}

const branch = (lines: readonly CauseLine[], index: number): string => {
  const depth = lines[index]?.depth ?? 0
  let text = ''
  for (let level = 1; level < depth; level += 1)
    text += hasSibling(lines, index, level) ? '│  ' : '   '
  if (depth === 0) return text
  return text + (hasSibling(lines, index, depth) ? '├─ ' : '└─ ')
}

const rowOf = (one: CauseLine, tree: string, now: number): readonly Cell[] => {
  if (one.line === 'skipped') return [`${tree}… ${counted(one.messages, 'message')} more`]
  if (one.line === 'group') {
    const followed = one.messages - one.count
    const more = followed === 0 ? '' : ` and ${counted(followed, 'message')} that followed`
    return [`${tree}×${count(one.count)} ${one.type}${more}`, '', '', '', one.first]
  }
  const { asked, type, kind, stream, position, time, id } = one
  const text = `${tree}${type}${kind === 'command' ? ' (command)' : ''}${asked ? '  ◀' : ''}`
  return [asked ? { text, style: 'bold' } : text, stream, count(position), relative(time, now), id]
}

const why: Verb<object> = async ({ database, terminal }, { args: [which = ''] }) => {
  const found = await causes({ database }, which)
  if (terminal.json) return terminal.document(found)
  const now = Date.now()
  const { lines } = found
  terminal.print(
    ...table(
      terminal,
      columns('MESSAGE', 'STREAM', '>POSITION', 'TIME', 'ID'),
      lines.map((one, index) => rowOf(one, branch(lines, index), now)),
    ),
  )
}

export function addWhy(program: Command): void {
  program
    .command('why')
    .description('what led to a message and what followed from it')
    .argument('<message>', 'id or position of a message, or the id of a dead letter')
    .action(onStore('read', why))
}
