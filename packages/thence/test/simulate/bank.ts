// A bank whose money can be counted: transfers by a saga that may time out and go back, accounts that are decided, views
// inline and following, handlers that write rows of their own. Whatever happens, no money appears or vanishes.
import {
  aggregate,
  type AppBuilder,
  command,
  documents,
  event,
  plain,
  projection,
  query,
  reject,
  saga,
  step,
} from 'thence'
import type { SimulatedProcess } from '../../src/testing/simulate/process.ts'

export interface Transfer {
  readonly transfer: string
  readonly from: string
  readonly to: string
  readonly amount: number
}

export interface Move {
  /** Its own id. */
  readonly move: string
  readonly account: string
  readonly amount: number
}

export const Deposit = command('Deposit', plain<Move>())
export const Withdraw = command('Withdraw', plain<Move>())
const Debit = command('Debit', plain<Transfer>())
const Refund = command('Refund', plain<Transfer>())
const Credit = command('Credit', plain<Transfer>())
const Deposited = event('Deposited', plain<Move>())
const Withdrawn = event('Withdrawn', plain<Move>())
export const TransferRequested = event('TransferRequested', plain<Transfer>())
const Debited = event('Debited', plain<Transfer>())
const DebitRefused = event('DebitRefused', plain<Transfer>())
const Refunded = event('Refunded', plain<Transfer>())
const Credited = event('Credited', plain<Transfer>())
const CreditRefused = event('CreditRefused', plain<Transfer>())
export const NameClaimed = event(
  'NameClaimed',
  plain<{ readonly name: string; readonly by: string }>(),
  {
    tags: ({ name }) => [`name:${name}`],
  },
)
export const BalanceOf = query('BalanceOf', { input: plain<string>(), output: plain<number>() })

interface Account {
  readonly balance: number
  readonly debited: readonly string[]
  readonly closed: readonly string[]
}

const account = aggregate('account', {
  initial: (): Account => ({ balance: 0, debited: [], closed: [] }),
  evolve: (on) =>
    on(Deposited, (state, { data }) => ({ ...state, balance: state.balance + data.amount }))
      .on(Withdrawn, (state, { data }) => ({ ...state, balance: state.balance - data.amount }))
      .on(Debited, (state, { data }) => ({
        ...state,
        balance: state.balance - data.amount,
        debited: [...state.debited, data.transfer],
      }))
      .on(DebitRefused, (state) => state)
      .on(Refunded, (state, { data }) => ({
        ...state,
        balance: state.balance + data.amount,
        closed: [...state.closed, data.transfer],
      })),
  decide: (on) =>
    on(Deposit, (_, { data }) => Deposited(data))
      .on(Withdraw, (state, { data }) => {
        if (state.balance < data.amount) throw reject('not-enough', 'There is not enough.')
        return Withdrawn(data)
      })
      .on(Debit, (state, { data }) => {
        if (state.debited.includes(data.transfer)) return []
        const may = state.balance >= data.amount && !state.closed.includes(data.transfer)
        return may ? Debited(data) : DebitRefused(data)
      })
      // What was never debited is closed, so that it never will be.
      .on(Refund, (state, { data }) => {
        if (state.closed.includes(data.transfer)) return []
        return Refunded(state.debited.includes(data.transfer) ? data : { ...data, amount: 0 })
      }),
  stream: ({ data }) => ('account' in data ? data.account : data.from),
  snapshot: { every: 4 },
})

const transfer = saga('transfer', {
  startedBy: TransferRequested,
  key: ({ data }) => data.transfer,
  steps: [
    step('debit', {
      do: Debit,
      done: Debited,
      failed: DebitRefused,
      undo: Refund,
      undone: Refunded,
      timeout: 700,
    }),
    step('credit', { do: Credit, done: Credited, failed: CreditRefused }),
  ],
})

/** Pays a little back, a while after each withdrawal: by timers, which it may not lose. */
const cashback = saga('cashback', {
  startedBy: Withdrawn,
  key: ({ data }) => data.move,
  on: (on) => on(Withdrawn, () => ({ timer: { name: 'pay', in: 300 } })),
  onTimer: ({ data }) => {
    const { account, move } = data(Withdrawn)
    return { send: Deposit({ account, amount: 1, move: `back-${move}` }), complete: true }
  },
})

const balances = projection('balances', {
  view: documents<{ balance: number }>(),
  retry: { base: 20, cap: 200 },
  on: (on) => {
    type View = {
      update(key: string, change: (d?: { balance: number }) => { balance: number }): Promise<void>
    }
    const add = (view: View, key: string, amount: number): Promise<void> =>
      view.update(key, (before) => ({ balance: (before?.balance ?? 0) + amount }))
    return on(Deposited, ({ data }, view) => add(view, data.account, data.amount))
      .on(Withdrawn, ({ data }, view) => add(view, data.account, -data.amount))
      .on(Debited, ({ data }, view) => add(view, data.from, -data.amount))
      .on(Refunded, ({ data }, view) => add(view, data.from, data.amount))
      .on(Credited, ({ data }, view) => add(view, data.to, data.amount))
  },
  answers: (on) => on(BalanceOf, async (key, view) => (await view.get(key))?.balance ?? 0),
})

const flow = projection('flow', {
  view: documents<{ count: number }>(),
  inline: true,
  on: (on) =>
    on(Deposited, (_, view) => view.update('in', (one) => ({ count: (one?.count ?? 0) + 1 }))).on(
      Withdrawn,
      (_, view) => view.update('out', (one) => ({ count: (one?.count ?? 0) + 1 })),
    ),
})

const retry = { attempts: 4, base: 30, cap: 300 }

/** The parts of the bank. */
export const bank = (builder: AppBuilder, { outside, process, life }: SimulatedProcess) =>
  builder
    .messages(TransferRequested, NameClaimed, CreditRefused)
    .use(account, transfer, cashback, balances, flow)
    .handle('crediting', Credit, {
      retry,
      run: ({ data }, { append }) => {
        const answer = data.to === 'closed' ? CreditRefused(data) : Credited(data)
        append(`credits-${data.to}`, answer)
      },
    })
    .handle('counting', [Deposited, Withdrawn, Debited], {
      retry,
      // Every deployment has its own idea of how many there should be.
      partitions: 1 + ((process + life) % 3),
      key: ({ data }) => ('account' in data ? data.account : data.from),
      run: ({ data }, { within }) => {
        const key = 'account' in data ? data.account : data.from
        within(async ({ documents: rows }) => {
          const count = Number((await rows.get('counts', key)) ?? 0)
          await rows.put('counts', key, String(count + 1))
        })
      },
    })
    .handle('mailing', [Credited, NameClaimed], {
      retry,
      run: ({ id }) => outside('mail', id),
    })

export type BankCommands = 'Deposit' | 'Withdraw' | 'Debit' | 'Refund' | 'Credit'
export type BankQueries = 'BalanceOf'
