// What the clerks of the office do, and what its operator does meanwhile.
import { strict as assert } from 'node:assert'
import { type ErrorCode, isThenceError } from 'thence'
import { startRedrive, startReplay } from 'thence/admin'
import type { SimulatedClient } from '../../src/testing/simulate/client.ts'
import { File, type OfficeCommands, Paid, Remind } from './office.ts'

type Client = SimulatedClient<OfficeCommands, never>

const desks = ['north', 'south', 'east']

/** An operator may be told that there is nothing to do, or that it cannot be done any more. */
const unless = async (codes: readonly ErrorCode[], work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch (error) {
    if (!codes.some((code) => isThenceError(error, code))) throw error
  }
}

const file = async ({ send, id, chance }: Client): Promise<void> => {
  await send(File({ paper: id(), desk: chance.pick(desks) }))
}

/** Appends, writes a row and sends in one transaction, under an id of its own: once. */
const pay = async ({ call, id, chance }: Client): Promise<void> => {
  const bill = id()
  const [amount, desk] = [1 + chance.whole(9), chance.pick(desks)]
  const { value } = await call((app) =>
    app.transaction(
      async (transaction) => {
        await transaction.append({ stream: 'till', events: Paid({ bill, amount }) })
        const before = Number((await transaction.documents.get('till', 'sum')) ?? 0)
        await transaction.documents.put('till', 'sum', String(before + amount))
        await transaction.send(File({ paper: `bill-${bill}`, desk }))
        return amount
      },
      { once: { consumer: 'till', id: bill } },
    ),
  )
  assert.equal(value, amount)
}

const remind = async ({ call, id, chance }: Client): Promise<void> => {
  const reminder = { ...Remind({ of: id() }), id: id() }
  const when = { in: 50 + chance.whole(800) }
  await call((app) => app.send(reminder, when))
  if (chance.is(0.3)) await call((app) => app.send(reminder, when))
}

const clerk = async (client: Client): Promise<void> => {
  const { chance, wait } = client
  const actions = 3 + chance.whole(4)
  for (let action = 0; action < actions; action += 1) {
    await wait(chance.pick([0, 0, 100, 500]))
    await chance.pick([file, file, pay, remind])(client)
  }
}

/** While it is paused the clock goes on, so that there is always something that must not begin. */
const pause = async ({ call, chance, wait }: Client): Promise<void> => {
  await call((app) => app.pause('ticking', { reason: 'Let us see.' }))
  await wait(chance.is(0.2) ? 11_000 : 400)
  await call((app) => app.resume('ticking'))
}

/** With `stop` a failure pauses the handler, until it is told to go on. */
const decide = async ({ call, chance, wait }: Client): Promise<void> => {
  const policy = chance.pick(['park-message', 'skip', 'stop'] as const)
  await call((app) => app.setPolicy('reading', policy))
  await wait(700)
  await call((app) => app.setPolicy('reading', null))
  await call((app) => app.resume('reading'))
}

const rebuild = ({ call }: Client): Promise<void> =>
  unless(
    ['STATE_INVALID'],
    call((app) => app.rebuild('ledger', { restart: true })),
  )

const redrive = ({ call, runtime }: Client): Promise<void> =>
  unless(
    ['NOT_FOUND'],
    call(({ database }) => startRedrive({ database, runtime })),
  )

const replay = ({ call, runtime }: Client): Promise<void> =>
  unless(
    ['NOT_FOUND', 'HISTORY_TRUNCATED'],
    call(({ database }) => startReplay({ database, runtime }, 'reading')),
  )

const operator = async (client: Client): Promise<void> => {
  const { chance, wait } = client
  const acts = 2 + chance.whole(3)
  for (let act = 0; act < acts; act += 1) {
    await wait(chance.pick([100, 400, 900]))
    await chance.pick([pause, decide, rebuild, redrive, replay])(client)
  }
}

/** What one client does: the first is the operator. */
export const working = (client: Client): Promise<void> =>
  client.number === 0 ? operator(client) : clerk(client)
