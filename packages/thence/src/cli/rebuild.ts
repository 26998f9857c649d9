/**
 * `thence rebuild`: builds a view anew beside the one that serves, tells how far that is and what differs, switches, goes
 * back, and gives up what does not serve. The app does the work; this asks and watches.
 */
import type { Command } from 'commander'
import type { RebuildAsked } from '../admin/views.ts'
import { askRebuild, dropView, switchBack, switchView, view, views } from '../admin/views.ts'
import type { Duration } from '../internal/duration.ts'
import type { BuildStatus, ViewStatus } from '../project/progress.ts'
import { diff } from './rebuild-diff.ts'
import type { Session, Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import { count, line, relative, span } from './text.ts'
import type { RebuildOutcome, Watched } from './watch-rebuild.ts'
import { watchRebuild } from './watch-rebuild.ts'

interface Why {
  readonly reason?: string
}

interface Waiting {
  readonly wait: boolean
}

const told = (projection: string, version: number | null): string =>
  version === null ? line(projection) : `Version ${version} of ${line(projection)}`

const notBegun = 'No running app has taken it up: it begins when the app starts.'

/** Watches, unless the user does not want to, and tells how it ended. */
const follow = async (session: Session, watched: Watched, { wait }: Waiting): Promise<void> => {
  const { terminal } = session
  const { projection, version, asked } = watched
  const outcome: RebuildOutcome = wait
    ? await watchRebuild(session, watched)
    : { state: 'asked', position: 0, through: asked.head }
  if (terminal.json) return terminal.document({ projection, version, ...outcome })
  const what = told(projection, version)
  if (outcome.state === 'serving') terminal.print(`${what} serves.`)
  else if (outcome.state === 'ready') {
    terminal.print(`${what} is built and follows the log; the one before still serves.`)
    terminal.hint(`Compare: ${session.suggest(`rebuild diff ${projection}`)}`)
    terminal.hint(`Switch:  ${session.suggest(`rebuild switch ${projection}`)}`)
  } else {
    terminal.print(`${what} is asked for.`)
    if (wait) terminal.note(notBegun)
  }
}

interface StartOptions extends Why, Waiting {
  readonly manual?: boolean
  readonly keep?: string
  readonly restart?: boolean
  readonly truncated?: boolean
}

const keepOf = (keep: string | undefined): Duration | undefined =>
  keep === 'forever' ? Infinity : (keep as Duration | undefined)

const start: Verb<StartOptions> = async (session, { args: [name = ''], options }) => {
  const { manual = false, restart, truncated, reason, keep } = options
  const asked: RebuildAsked = await askRebuild(session.on, name, {
    switch: manual ? 'manual' : 'auto',
    ...given({ restart, truncated, reason, keep: keepOf(keep) }),
  })
  const { projection, version } = asked
  if (version === null)
    session.terminal.note(
      `The tables of ${line(projection)} have fixed names: it is rebuilt in place, and answers nothing until it is whole.`,
    )
  const until = manual && version !== null ? 'ready' : 'serving'
  await follow(session, { projection, version, until, asked }, options)
}

const moving = (found: ViewStatus): Watched => ({
  projection: found.projection,
  version: found.building?.version ?? found.serving,
  until: 'serving',
  asked: { generation: 0, head: found.building?.head ?? 0 },
})

const switchVerb: Verb<Why & Waiting> = async (session, { args: [name = ''], options }) => {
  const found = await switchView(session.on, name, given({ reason: options.reason }))
  await follow(session, moving(found), options)
}

const back: Verb<Why & Waiting> = async (session, { args: [name = ''], options }) => {
  const found = await switchBack(session.on, name, given({ reason: options.reason }))
  await follow(session, moving(found), options)
}

const drop: Verb<Why> = async ({ on, terminal }, { args: [name = '', text], options }) => {
  const before = await view(on, name)
  const version = text === undefined ? undefined : Number(text)
  const after = await dropView(on, name, given({ reason: options.reason, version }))
  const dropped = before.kept !== null && after.kept === null ? before.kept : before.building
  if (terminal.json) return terminal.document({ dropped: dropped?.version ?? null, ...after })
  terminal.print(
    `${told(name, dropped?.version ?? 0)} is dropped; version ${after.serving} serves.`,
  )
}

const noteOf = ({ paused, parked, began }: BuildStatus, now: number): string => {
  if (paused !== null) return `paused by ${paused.actor} ${relative(paused.time, now)}`
  return parked > 0 ? `${count(parked)} parked` : `began ${relative(began, now)}`
}

const rowsOf = (one: ViewStatus, now: number): readonly (readonly Cell[])[] => {
  const { projection, serving, building, kept } = one
  const rows: (readonly Cell[])[] = [[projection, count(serving), 'serves', '', '', '', '', '']]
  if (building !== null) {
    const { version, state, position, head, rate, left } = building
    // What follows the log has no end to be on its way to.
    const paced = state !== 'ready'
    const what: Cell = state === 'halted' ? { text: state, style: 'red' } : state
    rows.push([
      projection,
      count(version),
      what,
      count(position),
      head > position ? count(head - position) : '-',
      !paced || rate === 0 ? '-' : `${count(Math.round(rate))}/s`,
      !paced || left === null ? '-' : span(left),
      noteOf(building, now),
    ])
  }
  if (kept !== null) {
    const until = kept.until === null ? 'until the next rebuild' : `for ${span(kept.until - now)}`
    rows.push([projection, count(kept.version), 'kept', count(kept.position), '', '', '', until])
  }
  return rows
}

const showStatus = ({ terminal }: Session, found: readonly ViewStatus[]): void => {
  if (terminal.json) return terminal.document({ views: found })
  if (found.length === 0)
    return terminal.note('No app with a projection has run on this store yet.')
  const shape = columns(
    'PROJECTION',
    '>VERSION',
    'STATE',
    '>POSITION',
    '>BEHIND',
    '>RATE',
    '>LEFT',
    'NOTE',
  )
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      shape,
      found.flatMap((one) => rowsOf(one, now)),
    ),
  )
}

const status: Verb<{ readonly watch?: boolean }> = async (session, { args: [name], options }) => {
  const { on } = session
  if (name === undefined) return showStatus(session, await views(on))
  const found = await view(on, name)
  if (options.watch === true && found.building !== null) {
    const until = found.building.switch === 'manual' ? 'ready' : 'serving'
    await watchRebuild(session, { ...moving(found), until })
  }
  showStatus(session, [await view(on, name)])
}

const addActs = (noun: Command): void => {
  noun
    .command('switch')
    .description('have the version that is built serve as soon as it has caught up')
    .argument('<name>', 'name of the projection')
    .option('--reason <text>', 'why, for the audit log')
    .option('--no-wait', 'ask, and do not watch')
    .action(onStore('write', switchVerb))
  noun
    .command('back')
    .description('have the version that served before catch up and serve again')
    .argument('<name>', 'name of the projection')
    .option('--reason <text>', 'why, for the audit log')
    .option('--no-wait', 'ask, and do not watch')
    .action(onStore('write', back))
  noun
    .command('drop')
    .description('give up the version that is being built, or the one that is kept')
    .argument('<name>', 'name of the projection')
    .argument('[version]', 'which, where both exist', whole(1))
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', drop))
}

export function addRebuild(program: Command): void {
  const noun = program
    .command('rebuild')
    .description('build a view anew beside the one that serves; `thence rebuild NAME` starts it')
  noun
    .command('start', { isDefault: true })
    .description('build a new version, and switch to it as soon as it has caught up')
    .argument('<name>', 'name of the projection')
    .option('--manual', 'do not switch by itself')
    .option('--keep <time>', 'how long the version before is kept: 2h, 7d, forever (default: 1d)')
    .option('--restart', 'begin anew if a rebuild is running')
    .option('--truncated', 'build it from what retention has left')
    .option('--reason <text>', 'why, for the audit log')
    .option('--no-wait', 'ask, and do not watch')
    .action(onStore('write', start))
  noun
    .command('status')
    .description('the versions of all views, or of one, and how far it is')
    .argument('[name]', 'name of the projection')
    .option('--watch', 'show the progress until it is built')
    .action(onStore('read', status))
  noun
    .command('diff')
    .description('what differs between the version that serves and the other one')
    .argument('<name>', 'name of the projection')
    .option('-n, --limit <number>', 'how many rows to show (default: 10)', whole(0))
    .action(onStore('read', diff))
  addActs(noun)
}
