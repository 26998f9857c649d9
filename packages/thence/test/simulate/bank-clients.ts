// What the clients of the bank do.
import { strict as assert } from 'node:assert'
import { isThenceError } from 'thence'
import type { SimulatedClient } from '../../src/testing/simulate/client.ts'
import type { BankCommands, BankQueries } from './bank.ts'
import { BalanceOf, Deposit, NameClaimed, TransferRequested, Withdraw } from './bank.ts'

type Client = SimulatedClient<BankCommands, BankQueries>

const accounts = ['ann', 'bob', 'eve']
const names = ['red', 'blue', 'green']

const moves = [Deposit, Withdraw] as const

/** Commands that the client has sent: some are sent again much later, as by one who lost its memory. */
type Sent = ReturnType<(typeof moves)[number]>[]

const order = async (client: Client, sent: Sent): Promise<void> => {
  const { chance } = client
  const [define, id] = [chance.pick(moves), client.id()]
  const amount = define === Deposit ? 6 : 1 + chance.whole(9)
  const made = define({ account: chance.pick(accounts), amount, move: id })
  const command = { ...made, id }
  sent.push(command)
  await client.send(command)
}

const request = async (client: Client): Promise<void> => {
  const { chance } = client
  const id = client.id()
  const data = {
    transfer: id,
    from: chance.pick(accounts),
    to: chance.pick([...accounts, 'closed']),
    amount: 1 + chance.whole(9),
  }
  const events = TransferRequested(data)
  await client.append({ stream: `request-${id}`, expected: 'none', events })
}

const claim = async (client: Client): Promise<void> => {
  const name = client.chance.pick(names)
  await client.append({
    stream: `names-${name}`,
    condition: { query: [{ types: ['NameClaimed'], tags: [`name:${name}`] }], after: 0 },
    events: NameClaimed({ name, by: `client ${client.number}` }),
  })
}

const look = async (client: Client): Promise<void> => {
  const own = `own-${client.number}`
  const { position } = await client.send(Deposit({ account: own, amount: 2, move: client.id() }))
  const balance = await client.ask(BalanceOf(own), { after: position })
  assert.ok(balance >= 2, 'it does not read its own write')
}

const act = (client: Client, sent: Sent): Promise<unknown> => {
  const dice = client.chance.whole(10)
  if (dice < 5) return order(client, sent)
  if (dice < 8) return request(client)
  return dice < 9 ? claim(client) : look(client)
}

const unlessRefused = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch (error) {
    const refused = isThenceError(error, 'REJECTED') || isThenceError(error, 'CONDITION_FAILED')
    if (!refused) throw error
  }
}

/** What one client does. */
export const banking = async (client: Client): Promise<void> => {
  const sent: Sent = []
  const actions = 3 + client.chance.whole(5)
  for (let action = 0; action < actions; action += 1) {
    // Often at once, so that they meet.
    await client.wait(client.chance.pick([0, 0, 40, 250]))
    await unlessRefused(act(client, sent))
  }
  await client.wait(client.chance.whole(1500))
  const again = sent[0]
  if (again !== undefined) await unlessRefused(client.send(again))
}
