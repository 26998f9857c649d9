// What `status` says first when every process has died: that none runs, as soon as anything waits for one; and since when
// letters wait, which a second failure does not make younger.
import { command, event, handler, plain } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { losable } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { kinds, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string }>())
const Ring = command('Ring', plain<{ bell: string }>())

const state = { fails: true }
const ear = handler('ear', Rung, {
  key: ({ data }) => data.bell,
  retry: { attempts: 5, base: '10m', cap: '10m' },
  run: ({ data: { bell } }) => {
    if (bell === 'bad') throw new Error('deaf')
  },
})
const hand = handler('hand', Ring, () => undefined)
const deaf = handler('deaf', Rung, {
  key: ({ data }) => data.bell,
  retry: { attempts: 1 },
  run: () => {
    if (state.fails) throw new Error('deaf')
  },
})

/** Runs an app that does something, has it die without a word, and waits until its leases are over. */
const died = async (place: Place, work: (app: Awaited<ReturnType<typeof begin>>) => unknown) => {
  const around = losable(place.open())
  const test = await begin(place, around.database)
  await work(test)
  await test.runtime.advance('3s')
  const on = { database: test.app.database, runtime: place.runtime }
  expect((await admin.status(on)).attention).toEqual([])
  around.lose()
  await place.runtime.advance('1m')
  const database = place.open()
  await database.open(place.runtime)
  const found = await admin.status({ database, runtime: place.runtime })
  await database.close()
  return found.attention.map(({ name, what, advice }) => `${name}: ${what}. ${advice}`)
}

const begin = (place: Place, database: ReturnType<Place['open']>) =>
  run(place, (app) => app.use(ear, hand), { around: () => database })

const first = (what: string) =>
  `app: No process runs; there wait: ${what}. Start the app; nothing is lost.`

describe.each(kinds)('when all have died, on $name', ({ make }) => {
  it('a timer to come is told to wait', async () => {
    const found = await died(make(), ({ app }) => app.send(Ring({ bell: 'a' }), { in: '2h' }))
    expect(found[0]).toBe(first('timers'))
    expect(found[1]).toContain('ended without a word')
  })

  it('so is a retry', async () => {
    const found = await died(make(), ({ app }) => app.append({ events: Rung({ bell: 'bad' }) }))
    expect(found[0]).toBe(first('1 subscription'))
  })

  it('and nothing is, where nothing waits', async () => {
    const found = await died(make(), () => undefined)
    expect(found).toEqual([expect.stringContaining('ended without a word')])
  })
})

it.each(kinds)('letters wait since the first of them was parked, on $name', async ({ make }) => {
  const place = make()
  state.fails = true
  const test = await run(place, (app) => app.use(deaf))
  const on = { database: test.app.database, runtime: place.runtime }
  await test.app.append({ events: Rung({ bell: 'a' }) })
  await test.runtime.advance('1m')
  await test.app.append({ events: Rung({ bell: 'b' }) })
  await test.runtime.advance('1m')
  const [one, two] = await admin.deadLetters(on)
  expect([one!.parkedFirst, two!.parkedFirst]).toEqual([one!.time, two!.time])
  await admin.redrive(on, one!.id)
  await test.runtime.advance('5s')
  const again = await admin.deadLetters(on)
  expect(again.map(({ id, state: now }) => [id, now])).toEqual([
    [one!.id, 'parked'],
    [two!.id, 'parked'],
  ])
  expect(again[0]!.time).toBeGreaterThan(two!.time)
  expect(again.map(({ parkedFirst }) => parkedFirst)).toEqual([one!.time, two!.time])
  expect((await admin.status(on)).attention).toMatchObject([{ name: 'deaf', since: one!.time }])
})
