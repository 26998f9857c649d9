/**
 * Many at once, without a script: writers on one stream and on many, subscribers who read all the while, and writers who want the same
 * version.
 */
import type { Stage } from './stage.ts'
import type { Subscriber } from './subscriber.ts'
import type { TortureClient } from './subject.ts'
import type { Trap, TortureSizes } from './trap.ts'

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds))

const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make))

/** So often an append that found others in the way is sent again. */
const mostTries = 1000

/** Appends until it is not busy; what is thrown is noted. */
const write = async (
  stage: Stage,
  client: TortureClient,
  { stream, id }: { readonly stream: string; readonly id: string },
): Promise<void> => {
  try {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const answer = await client.append({ stream, ids: [id] })
      if (answer === 'busy') continue
      if (answer === 'refused')
        stage.blame('failed', `${id} was refused, though it expected nothing`)
      ;(answer === 'appended' ? stage.ledger.written : stage.ledger.gone).add(id)
      return
    }
    stage.blame('failed', `${id} was busy ${mostTries} times`)
  } catch (error) {
    stage.ledger.unknown.add(id)
    stage.blame('failed', `${id} could not be appended: ${String(error)}`)
  }
}

/** Reads on with pages of its own size until `ended`. */
const follow = async (
  subscriber: Subscriber,
  size: number,
  ended: () => boolean,
): Promise<void> => {
  while (!ended()) {
    const before = subscriber.events.length
    await subscriber.poll(size)
    if (subscriber.events.length === before) await pause(3)
  }
}

const crowd = (name: string, streamOf: (writer: number) => string): Trap => ({
  name,
  needs: [],
  async play(stage, { writers, subscribers, appends }) {
    const clients = await many(writers, () => stage.client())
    const readers = await many(subscribers, () => stage.subscriber())
    let ended = false
    const reading = readers.map((one, index) => follow(one, 7 + index * 13, () => ended))
    const writing = clients.map(async (client, writer) => {
      for (let n = 1; n <= appends; n += 1)
        await write(stage, client, { stream: streamOf(writer), id: `${writer}/${n}` })
    })
    await Promise.all(writing)
    ended = true
    await Promise.all(reading)
  },
})

const rounds = 12

/** All of them want to write version `round`. */
const race = async (
  stage: Stage,
  clients: readonly TortureClient[],
  round: number,
): Promise<void> => {
  const answers = clients.map(async (client, index) => {
    const id = `${index}/${round}`
    try {
      const answer = await client.append({ stream: 'raced', ids: [id], expected: round - 1 })
      ;(answer === 'appended' ? stage.ledger.written : stage.ledger.gone).add(id)
      return answer
    } catch (error) {
      stage.ledger.unknown.add(id)
      stage.blame('failed', `${id} could not be appended: ${String(error)}`)
      return 'thrown'
    }
  })
  const won = (await Promise.all(answers)).filter((answer) => answer === 'appended').length
  if (won !== 1) stage.blame('race', `${won} of ${clients.length} won version ${round} of a stream`)
}

const raced: Trap = {
  name: 'writers want the same version of a stream, also the first',
  needs: [],
  async play(stage, { writers }: TortureSizes) {
    const clients = await many(Math.min(writers, 16), () => stage.client())
    for (let round = 1; round <= rounds; round += 1) await race(stage, clients, round)
  },
}

export const crowdTraps: readonly Trap[] = [
  crowd('many writers on one stream, and subscribers who read meanwhile', () => 'one'),
  crowd('many writers on many streams, and subscribers who read meanwhile', (n) => `stream ${n}`),
  raced,
]
