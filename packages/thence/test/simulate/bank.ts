// A bank whose money can be counted: transfers by a saga that may time out and go back, accounts that are decided, views
// inline and following, handlers that write rows of their own. Whatever happens, no money appears or vanishes.
import { strict as assert } from 'node:assert'
import {
  aggregate,
  type AppBuilder,
  command,
  documents,
  event,
  isThenceError,
  plain,
  projection,
  query,
  reject,
  saga,
  step,
} from 'thence'
import type { SimulatedProcess } from '../../src/testing/simulate/process.ts'
import type { SimulatedClient } from '../../src/testing/simulate/client.ts'
import type { SimulationEnd } from '../../src/testing/simulate/scenario.ts'

interface Transfer {
  readonly transfer: string
  readonly from: string
  readonly to: string
  readonly amount: number
}

interface Move {
  readonly account: string
  readonly amount: number
}

const Deposit = command('Deposit', plain<Move>())
const Withdraw = command('Withdraw', plain<Move>())
const Debit = command('Debit', plain<Transfer>())
const Refund = command('Refund', plain<Transfer>())
const Credit = command('Credit', plain<Transfer>())
const Deposited = event('Deposited', plain<Move>())
const Withdrawn = event('Withdrawn', plain<Move>())
const TransferRequested = event('TransferRequested', plain<Transfer>())
const Debited = event('Debited', plain<Transfer>())
const DebitRefused = event('DebitRefused', plain<Transfer>())
const Refunded = event('Refunded', plain<Transfer>())
const Credited = event('Credited', plain<Transfer>())
const CreditRefused = event('CreditRefused', plain<Transfer>())
const NameClaimed = event('NameClaimed', plain<{ readonly name: string; readonly by: string }>(), {
  tags: ({ name }) => [`name:${name}`],
})
const BalanceOf = query('BalanceOf', { input: plain<string>(), output: plain<number>() })

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
export const bank = (builder: AppBuilder, { outside }: SimulatedProcess) =>
  builder
    .messages(TransferRequested, NameClaimed, CreditRefused)
    .use(account, transfer, balances, flow)
    .handle('crediting', Credit, {
      retry,
      run: ({ data }, { append }) => {
        const answer = data.to === 'closed' ? CreditRefused(data) : Credited(data)
        append(`credits-${data.to}`, answer)
      },
    })
    .handle('counting', [Deposited, Withdrawn, Debited], {
      retry,
      partitions: 3,
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

type Commands = 'Deposit' | 'Withdraw' | 'Debit' | 'Refund' | 'Credit'
type Client = SimulatedClient<Commands, 'BalanceOf'>

const accounts = ['ann', 'bob', 'eve']
const names = ['red', 'blue', 'green']

const act = async (client: Client): Promise<void> => {
  const { chance } = client
  const [from, to, amount] = [
    chance.pick(accounts),
    chance.pick([...accounts, 'closed']),
    1 + chance.whole(9),
  ]
  const dice = chance.whole(10)
  if (dice < 3) await client.send(Deposit({ account: from, amount: amount * 3 }))
  else if (dice < 4) await client.send(Withdraw({ account: from, amount }))
  else if (dice < 8) {
    const id = client.id()
    await client.append({
      stream: `request-${id}`,
      expected: 'none',
      events: TransferRequested({ transfer: id, from, to, amount }),
    })
  } else if (dice < 9) {
    const name = chance.pick(names)
    await client.append({
      stream: `names-${name}`,
      condition: { query: [{ types: ['NameClaimed'], tags: [`name:${name}`] }], after: 0 },
      events: NameClaimed({ name, by: `client ${client.number}` }),
    })
  } else {
    const { position } = await client.send(Deposit({ account: `own-${client.number}`, amount }))
    const balance = await client.ask(BalanceOf(`own-${client.number}`), { after: position })
    assert.ok(balance >= amount, 'it does not read its own write')
  }
}

/** What one client does. */
export const banking = async (client: Client): Promise<void> => {
  const actions = 3 + client.chance.whole(5)
  for (let action = 0; action < actions; action += 1) {
    await client.wait(client.chance.whole(300))
    try {
      await act(client)
    } catch (error) {
      const refused = ['REJECTED', 'CONDITION_FAILED'].some((code) =>
        isThenceError(error, code as 'REJECTED'),
      )
      if (!refused) throw error
    }
  }
}

type Books = SimulationEnd<Commands, 'BalanceOf'>

const sum = (end: Books, type: string): number =>
  end.messages
    .filter((message) => message.type === type)
    .reduce((total, { data }) => total + (data as Move).amount, 0)

/** What holds in the end. */
export const bankInvariants = {
  'no money appears or vanishes': (end: Books) => {
    const onWay = new Map<string, number>()
    for (const { type, data } of end.messages) {
      if (!['Debited', 'Refunded', 'Credited'].includes(type)) continue
      const { transfer: id, amount } = data as Transfer
      onWay.set(id, (onWay.get(id) ?? 0) + (type === 'Debited' ? amount : -amount))
    }
    for (const [id, amount] of onWay) assert.ok(amount >= 0, `transfer ${id} made ${-amount}`)
    const finished = end.messages.filter(({ type }) => type === 'transfer.finished')
    for (const { stream } of finished)
      assert.equal(onWay.get(stream.slice('transfer-'.length)) ?? 0, 0, `${stream} is not balanced`)
  },
  'every transfer ends, unless its credit is poison': (end: Books) => {
    const parked = new Set(
      end.letters.map(({ message }) => (JSON.parse(message.data) as Transfer).transfer),
    )
    const count = (type: string): Set<string> =>
      new Set(end.messages.filter((one) => one.type === type).map(({ stream }) => stream))
    const finished = count('transfer.finished')
    const open = [...count('transfer.started')].filter((stream) => !finished.has(stream))
    const keysParked = new Set(end.letters.map(({ key }) => key))
    for (const stream of open) {
      const credit = end.messages.find((one) => one.stream === stream && one.type === 'Credit')
      const waits = parked.has(stream.slice('transfer-'.length)) || keysParked.has(stream)
      assert.ok(credit !== undefined && waits, `${stream} never ended`)
    }
  },
  'a name is claimed once': (end: Books) => {
    const claimed = end.messages.filter(({ type }) => type === 'NameClaimed')
    const distinct = new Set(claimed.map(({ data }) => (data as { name: string }).name))
    assert.equal(distinct.size, claimed.length)
  },
  'every row is counted once': async (end: Books) => {
    const [counts, done] = await end.app.database.read(({ documents: rows }) =>
      Promise.all([
        rows.list('counts', { limit: 1000 }),
        rows.list('$simulated', { prefix: '["counting"', limit: 1000 }),
      ]),
    )
    const counted = Object.fromEntries(counts.map(({ key, value }) => [key, Number(value)]))
    const expected = done.map(({ key, value }) => {
      const [, account] = JSON.parse(key) as [string, string]
      return [account, (JSON.parse(value) as number[]).length]
    })
    assert.deepEqual(counted, Object.fromEntries(expected))
  },
  'every mail was sent': (end: Books) => {
    const sent = new Set(end.outside.map(({ value }) => value))
    const keysParked = new Set(
      end.letters.filter(({ subscription }) => subscription === 'mailing').map(({ key }) => key),
    )
    for (const { type, id, stream } of end.messages)
      if (['Credited', 'NameClaimed'].includes(type) && !keysParked.has(stream))
        assert.ok(sent.has(id), `no mail for ${type} ${id}`)
  },
  'deposits are shown': async (end: Books) => {
    assert.ok(sum(end, 'Deposited') >= sum(end, 'Withdrawn'))
    const shown = await end.app.ask(BalanceOf('own-0'))
    const own = end.messages.filter(
      ({ type, data }) => type === 'Deposited' && (data as Move).account === 'own-0',
    )
    assert.equal(
      shown,
      own.reduce((total, { data }) => total + (data as Move).amount, 0),
    )
  },
}
