/**
 * `thence doctor`: is the store as it should be, and the database under it. It ends with 1 if anything wants an operator.
 */
import type { Command } from 'commander'
import { diagnosis } from '../admin/doctor.ts'
import type { Finding, FindingState } from '../ports/diagnosis.ts'
import { exitCodes } from './exit-code.ts'
import type { Verb } from './session.ts'
import { onStore } from './session.ts'
import { columns, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { counted, line } from './text.ts'

const styles: Readonly<Record<FindingState, Style>> = {
  ok: 'green',
  notice: 'dim',
  warning: 'yellow',
  error: 'red',
}

const adviceOf = (findings: readonly Finding[]): readonly string[] => {
  const lines = findings
    .filter(({ advice }) => advice !== undefined)
    .map(({ check, advice = '' }) => `${check}: ${line(advice)}`)
  return lines.length === 0 ? [] : ['', ...new Set(lines)]
}

const show = (terminal: Terminal, findings: readonly Finding[]): readonly string[] => [
  ...table(
    terminal,
    columns('CHECK', 'STATE', 'WHAT'),
    findings.map(({ check, state, text }) => [check, { text: state, style: styles[state] }, text]),
  ),
  ...adviceOf(findings),
]

const examine: Verb<object> = async ({ database, place, terminal }) => {
  const { findings, attention } = await diagnosis({ database })
  if (attention > 0) process.exitCode = exitCodes.failed
  if (terminal.json) return terminal.document({ store: place.name, attention, findings })
  terminal.print(terminal.paint('bold', place.name), '', ...show(terminal, findings))
  terminal.note(
    attention === 0
      ? 'Nothing needs attention.'
      : `${counted(attention, 'finding')} to look after.`,
  )
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('is the store as it should be, and the database under it')
    .action(onStore('plan', examine))
}
