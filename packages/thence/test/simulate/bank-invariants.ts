// What holds of the bank in the end, whatever happened.
import { strict as assert } from 'node:assert'
import type { SimulationEnd } from '../../src/testing/simulate/scenario.ts'
import type { BankCommands, BankQueries, Move, Transfer } from './bank.ts'
import { BalanceOf } from './bank.ts'

type Books = SimulationEnd<BankCommands, BankQueries>

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
    const letters = end.letters.filter(({ state }) => state === 'parked')
    const parked = new Set(
      letters.map(({ message }) => (JSON.parse(message.data) as Transfer).transfer),
    )
    const count = (type: string): Set<string> =>
      new Set(end.messages.filter((one) => one.type === type).map(({ stream }) => stream))
    const finished = count('transfer.finished')
    const open = [...count('transfer.started')].filter((stream) => !finished.has(stream))
    const keysParked = new Set(letters.map(({ key }) => key))
    for (const stream of open) {
      const credit = end.messages.find((one) => one.stream === stream && one.type === 'Credit')
      const waits = parked.has(stream.slice('transfer-'.length)) || keysParked.has(stream)
      assert.ok(credit !== undefined && waits, `${stream} never ended`)
    }
  },
  'no account is overdrawn': (end: Books) => {
    const balance = new Map<string, number>()
    for (const { type, stream, data } of end.messages) {
      if (!stream.startsWith('account-')) continue
      const { amount } = data as Move
      const change = ['Deposited', 'Refunded'].includes(type) ? amount : -amount
      balance.set(stream, (balance.get(stream) ?? 0) + (type === 'DebitRefused' ? 0 : change))
      assert.ok((balance.get(stream) ?? 0) >= 0, `${stream} is overdrawn`)
    }
  },
  'every withdrawal is paid back once': (end: Books) => {
    const paid = end.messages
      .filter(({ type }) => type === 'Deposited')
      .map(({ data }) => (data as Move).move)
    for (const { type, data } of end.messages)
      if (type === 'Withdrawn')
        assert.equal(paid.filter((move) => move === `back-${(data as Move).move}`).length, 1)
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
