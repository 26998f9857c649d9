/**
 * `thence why`: what led to a message and what followed from it, as a tree.
 */
import type { Command } from 'commander'
import type { CauseLine } from '../admin/causes.ts'
import type { CauseMark } from '../admin/marks.ts'
import { causes } from '../admin/causes.ts'
import type { Verb } from './session.ts'
import { onStore } from './session.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import { count, counted, line, relative } from './text.ts'

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

const markText = ({ subscription, state, error, behind }: CauseMark): string => {
  const why = error === null ? '' : `: ${error}`
  if (state === 'queued')
    return `waits in ${subscription}${behind === null ? '' : ` behind position ${behind}`}`
  if (state === 'due')
    return error === null
      ? `in hand or to begin in ${subscription}`
      : `to be tried again in ${subscription}${why}`
  return `${state} in ${subscription}${why}`
}

const markLength = 80

/** What stands under a message: where it has not gone on. */
const markRows = (lines: readonly CauseLine[], index: number): readonly (readonly Cell[])[] => {
  const one = lines[index]
  if (one?.line !== 'message') return []
  let tree = ''
  for (let level = 1; level <= one.depth; level += 1)
    tree += hasSibling(lines, index, level) ? '│  ' : '   '
  tree += (lines[index + 1]?.depth ?? 0) > one.depth ? '│  ' : '   '
  return one.marks.map((mark) => [
    { text: `${tree}${line(markText(mark), markLength)}`, style: 'red' },
    '',
    '',
    '',
    mark.letter ?? '',
  ])
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
      lines.flatMap((one, index) => [
        rowOf(one, branch(lines, index), now),
        ...markRows(lines, index),
      ]),
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
