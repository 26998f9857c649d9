/** What the shop remembers of where its invoices come from. */
import { command, event, plain } from 'thence'

export interface Source {
  /** Tells the source by its content: the same invoices in the same order. */
  readonly source: string
  /** What it is called, for people. */
  readonly name: string
  /** Of the simulated answers. */
  readonly seed: number
}

export const OpenIntake = command('OpenIntake', plain<Source>())
export const IntakeOpened = event('IntakeOpened', plain<Source>())

/** The first `invoices` of the source are traded, with all that follows from them. */
export interface Traded {
  readonly invoices: number
  /** Whether the source has no more. */
  readonly last: boolean
}

export const RecordTraded = command('RecordTraded', plain<Traded>())
export const InvoicesTraded = event('InvoicesTraded', plain<Traded>())
