// A bank whose every effect can be counted from outside: deposits are decided, noted by a handler, summed by a view, and
// thanked for by a saga after a moment. What the workers run, and what the tests check.
import { aggregate, app, command, documents, event, handler, plain, projection, saga } from 'thence'
import type { Database, Duration } from 'thence'

export interface Deposit {
  readonly account: string
  /** Counts the deposits of the account, from 1. */
  readonly n: number
}

export const MakeDeposit = command('MakeDeposit', plain<Deposit>())
export const Deposited = event('Deposited', plain<Deposit>())
export const Thank = command('Thank', plain<{ readonly account: string }>())
export const Thanked = event('Thanked', plain<{ readonly account: string }>())

/** Told what a handler does outside of the store, before it succeeds. */
export type Outside = (message: string) => Promise<void> | void

const account = aggregate('account', {
  initial: () => 0,
  evolve: (on) => on(Deposited, (_, { data }) => data.n),
  decide: (on) => on(MakeDeposit, (n, { data }) => (data.n > n ? Deposited(data) : [])),
  stream: ({ data }) => data.account,
})

/** Notes each deposit once, and whether it came after the one before it. */
const clerk = (outside: Outside) =>
  handler('clerk', Deposited, {
    key: ({ data }) => data.account,
    partitions: 6,
    async run({ data, id }, context) {
      await outside(id)
      context.within(async ({ documents: rows }) => {
        const last = Number((await rows.get('last', data.account)) ?? '0')
        const count = Number((await rows.get('noted', id)) ?? '0')
        await rows.put('noted', id, `${count + 1}`)
        await rows.put('last', data.account, `${data.n}`)
        if (last !== data.n - 1) await rows.put('disorder', id, `"${last} before ${data.n}"`)
      })
    },
  })

const sums = projection('sums', {
  view: documents<{ deposits: number }>(),
  on: (on) =>
    on(Deposited, ({ data }, view) =>
      view.update(data.account, (sum) => ({ deposits: (sum?.deposits ?? 0) + 1 })),
    ),
})

const courtesy = saga('courtesy', {
  startedBy: Deposited,
  key: ({ data }) => (data.n === 1 ? data.account : undefined),
  partitions: 2,
  on: (on) => on(Deposited, () => ({ timer: { name: 'thanks', in: '100ms' } })),
  onTimer: ({ key }) => ({ send: Thank({ account: key }), complete: true }),
})

const thanks = handler('thanks', Thank, ({ data }, context) => {
  context.append(`thanks-${data.account}`, Thanked(data))
  context.within(async ({ documents: rows }) => {
    const count = Number((await rows.get('thanked', data.account)) ?? '0')
    await rows.put('thanked', data.account, `${count + 1}`)
  })
})

/** Everything, as the workers run it. */
export const bank = (
  database: Database,
  { outside, leaseTime }: { readonly outside: Outside; readonly leaseTime: Duration },
) =>
  app({ database, logger: false, leaseTime })
    .use(account, clerk(outside), sums, courtesy, thanks)
    .messages(Thanked)

/** Only what takes deposits. */
export const counter = (database: Database) => app({ database, logger: false }).use(account)
