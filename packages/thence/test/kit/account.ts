// An account that counts what is deposited, with snapshots if it is told to take some.
import type { SnapshotOptions } from 'thence'
import { aggregate, command, event, plain } from 'thence'

export const Deposit = command('Deposit', plain<{ id: string; by: number }>())
export const Deposited = event('Deposited', plain<{ total: number }>())

/** A deposit of nothing leaves no event. */
export const account = (snapshot?: SnapshotOptions) =>
  aggregate('account', {
    initial: () => ({ total: 0 }),
    evolve: (on) => on(Deposited, (_, { data }) => ({ total: data.total })),
    decide: (on) =>
      on(Deposit, ({ total }, { data }) =>
        data.by === 0 ? [] : Deposited({ total: total + data.by }),
      ),
    stream: ({ data }) => data.id,
    ...(snapshot === undefined ? {} : { snapshot }),
  })
