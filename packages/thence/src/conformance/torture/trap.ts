/**
 * What a trap is: a history that has lost events somewhere, as a script. It says what a store must be able to do for it.
 */
import type { Stage } from './stage.ts'
import type { TortureSubject } from './subject.ts'

/** What a store can be asked for. */
export interface Abilities {
  readonly begin: boolean
  readonly touch: boolean
  readonly savepoint: boolean
  readonly prepare: boolean
  readonly sessions: boolean
  readonly sequences: boolean
  readonly follow: boolean
}

export interface Trap {
  /** A sentence that says what happens. */
  readonly name: string
  readonly needs: readonly (keyof Abilities)[]
  play(stage: Stage, sizes: TortureSizes): Promise<void>
}

export interface TortureSizes {
  /** Default 64. */
  readonly writers: number
  /** Default 16. */
  readonly subscribers: number
  /** Appends of each writer; default 20. */
  readonly appends: number
}

const lacks: Readonly<Record<keyof Abilities, string>> = {
  begin: 'no append can be held open',
  touch: 'nothing can be written before an append in its transaction',
  savepoint: 'there are no savepoints',
  prepare: 'a transaction cannot be prepared',
  sessions: 'there are no sessions beside it',
  sequences: 'no position comes from a sequence',
  follow: 'nobody is told of new events',
}

/** Why a trap cannot be played on such a store; undefined if it can. */
export const reasonAgainst = (trap: Trap, abilities: Abilities): string | undefined => {
  const lacking = trap.needs.find((one) => !abilities[one])
  return lacking === undefined ? undefined : lacks[lacking]
}

/** Thrown by a trap that finds out that it cannot be played here. */
export class NotDriven extends Error {}

/** Looks what a store can do. */
export async function abilitiesOf(subject: TortureSubject): Promise<Abilities> {
  const { sessions } = subject
  const client = await subject.connect()
  try {
    const transaction = await client.begin?.()
    await transaction?.rollback()
    return {
      begin: transaction !== undefined,
      touch: transaction?.touch !== undefined,
      savepoint: transaction?.savepoint !== undefined,
      prepare: transaction?.prepare !== undefined && sessions !== undefined,
      sessions: sessions !== undefined,
      sequences: (sessions?.sequences.length ?? 0) > 0,
      follow: 'follow' in subject,
    }
  } finally {
    await client.close()
  }
}
