// An office in which everything is done that an operator can do while it works: papers that retention removes, a till whose
// transactions are done once, reminders for later, a clock that ticks by a schedule, a view that is built anew.
import {
  type AppBuilder,
  command,
  documents,
  event,
  plain,
  projection,
  schedule,
  type RetentionOptions,
} from 'thence'
import type { SimulatedProcess } from '../../src/testing/simulate/process.ts'

export interface Paper {
  readonly paper: string
  readonly desk: string
}

export const File = command('File', plain<Paper>())
export const Remind = command('Remind', plain<{ readonly of: string }>())
const Tick = command('Tick', plain<{ readonly slot: number }>())
const Filed = event('Filed', plain<Paper>())
export const Paid = event('Paid', plain<{ readonly bill: string; readonly amount: number }>())
const Ticked = event('Ticked', plain<{ readonly slot: number }>())

/** Each paper has a stream of its own, which is ended and removed when everybody has read it. */
export const retention: RetentionOptions = {
  log: [{ category: 'paper', olderThan: 600, remove: 'streams', tombstone: true }],
  every: '1s',
}

/** Every second, so that a few of them are due whenever something goes wrong. */
const ticks = schedule('ticks', {
  cron: '* * * * * *',
  catchUp: 'all',
  send: ({ time }) => Tick({ slot: time }),
})

const total = (before: { sum: number } | undefined, by: number): { sum: number } => ({
  sum: (before?.sum ?? 0) + by,
})

/** What is built anew while it serves. */
const ledger = projection('ledger', {
  view: documents<{ sum: number }>(),
  retry: { base: 20, cap: 200 },
  on: (on) =>
    on(Paid, ({ data }, view) => view.update('till', (one) => total(one, data.amount))).on(
      Ticked,
      (_, view) => view.update('ticks', (one) => total(one, 1)),
    ),
})

/** What has to have read a paper before it is removed. */
const desks = projection('desks', {
  view: documents<{ papers: number }>(),
  retry: { base: 20, cap: 200 },
  on: (on) =>
    on(Filed, ({ data }, view) =>
      view.update(data.desk, (before) => ({ papers: (before?.papers ?? 0) + 1 })),
    ),
})

const retry = { attempts: 3, base: 30, cap: 300 }

/** The parts of the office. */
export const office = (builder: AppBuilder, { process, life, outside }: SimulatedProcess) =>
  builder
    .messages(Paid)
    .use(ledger, desks, ticks)
    .handle('filing', File, {
      retry,
      key: ({ data }) => data.desk,
      run: ({ data }, { append }) => append(`paper-${data.paper}`, Filed(data)),
    })
    .handle('reading', Filed, {
      retry,
      replay: 'idempotent',
      key: ({ data }) => data.desk,
      // Every deployment has its own idea of how many there should be.
      partitions: 1 + ((process + life) % 3),
      run: ({ data }) => outside('read', data.paper),
    })
    .handle('ticking', Tick, {
      retry,
      key: ({ id }) => id,
      run: ({ data }, { append }) => append('clock', Ticked(data)),
    })
    .handle('reminding', Remind, {
      retry,
      key: ({ id }) => id,
      run: ({ data }) => outside('reminder', data.of),
    })

export type OfficeCommands = 'File' | 'Remind' | 'Tick'
