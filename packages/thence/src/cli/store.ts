/**
 * `thence store copy`: moves a store to another database, and shows that both are the same.
 */
import type { Command } from 'commander'
import type { CopiedStore } from '../admin/copy.ts'
import { copyStore } from '../admin/copy.ts'
import type { CopyProgress } from '../admin/copy-tables.ts'
import { placeOf } from './place.ts'
import { Progress } from './progress.ts'
import type { Verb } from './session.ts'
import { onStore, openBeside, untilInterrupted } from './session.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, line } from './text.ts'

interface CopyOptions {
  readonly to: string
  readonly truncated?: boolean
}

/** A bar for each phase. */
const showing = (terminal: Terminal) => {
  const bars = { copy: 'Copying', verify: 'Comparing' } as const
  let phase: CopyProgress['phase'] = 'copy'
  let bar = new Progress(terminal, bars.copy)
  return {
    show: (progress: CopyProgress): void => {
      if (progress.phase !== phase) {
        bar.end()
        phase = progress.phase
        bar = new Progress(terminal, bars[phase])
      }
      bar.update(progress.done, progress.total)
    },
    end: () => bar.end(),
  }
}

const tell = (
  terminal: Terminal,
  { tables, rebuilds }: CopiedStore,
  { from, to }: { readonly from: string; readonly to: string },
): void => {
  const rows = tables.map((one) => [one.table, count(one.rows), one.checksum.slice(0, 16)])
  terminal.print(...table(terminal, columns('TABLE', '>ROWS', 'CHECKSUM'), rows))
  terminal.note(`${line(to)} is the same as ${line(from)}, row by row.`)
  if (rebuilds.length > 0)
    terminal.note(
      `Tables of views are not copied; apps build these anew at their next start: ${line(rebuilds.join(', '))}.`,
    )
  terminal.note(`Start the apps on the new store, and none on the old one: ${line(from)}.`)
}

const copy: Verb<CopyOptions> = async ({ on, place, terminal }, { options }) => {
  const to = placeOf(options.to)
  const target = await openBeside(to, 'fill')
  const progress = showing(terminal)
  try {
    const { truncated = false } = options
    const signal = untilInterrupted()
    const copying = { truncated, signal, onProgress: progress.show }
    const copied = await copyStore(on, target, copying)
    progress.end()
    const names = { from: place.name, to: to.name }
    if (terminal.json) return terminal.document({ ...names, ...copied })
    tell(terminal, copied, names)
  } finally {
    progress.end()
    await target.close()
  }
}

export function addStore(program: Command): void {
  program
    .command('store')
    .description('a store as a whole')
    .command('copy')
    .description('move it to another database: positions, versions and progress stay')
    .requiredOption('--to <place>', 'where to: a URL of PostgreSQL, or a file that is not there')
    .option('--truncated', 'even if views in tables lack events that retention has removed')
    .action(onStore('hold', copy))
}
