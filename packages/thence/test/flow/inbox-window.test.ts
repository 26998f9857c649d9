// For how long a duplicate is known for one: for ever, or for the window that retention says, by the clock of the database.
import type { AppOptions } from 'thence'
import { aggregate, command, event, plain } from 'thence'
import { memory, memoryStore } from 'thence/memory'
import { testApp, virtualRuntime } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { all, kinds, run } from '../kit/places.ts'
import { skewed } from '../kit/skew.ts'

const Add = command('Add', plain<{ readonly n: number }>())
const Added = event('Added', plain<{ readonly n: number }>())
const counter = aggregate('counter', {
  initial: () => ({}),
  evolve: (on) => on(Added, (state) => state),
  decide: (on) => on(Add, (_, { data }) => Added(data)),
  stream: () => 'one',
})

type Window = NonNullable<AppOptions['retention']>
const window: Window = { inbox: '1h', every: '1m' }

const start = (place: Place, retention?: Window) =>
  run(place, (app) => app.use(counter), retention === undefined ? {} : { retention })

const once = { consumer: 'mail', id: 'm1' }

describe.each(kinds)('on $name', ({ make }) => {
  it('within the window a duplicate is dropped, and after it what it asks for is done again', async () => {
    const test = await start(make(), window)
    let sent = 0
    const deliver = () => test.app.transaction(() => (sent += 1), { once })
    const add = () => test.app.send(Add({ n: 1 }, { id: 'c1' }))
    const added = async () => (await all(test.app.stream('counter-one'))).length
    await deliver()
    await add()
    await test.advance('58m')
    expect(await deliver()).toMatchObject({ value: 1, duplicate: true })
    expect(await add()).toMatchObject({ duplicate: true })
    expect([sent, await added()]).toEqual([1, 1])
    await test.advance('5m')
    expect(await deliver()).toMatchObject({ value: 2, duplicate: false })
    expect(await add()).toMatchObject({ duplicate: false })
    expect([sent, await added()]).toEqual([2, 2])
  })

  it('without a window it is dropped for ever', async () => {
    const test = await start(make())
    let sent = 0
    const deliver = () => test.app.transaction(() => (sent += 1), { once })
    await deliver()
    await test.runtime.jump('365d')
    expect(await deliver()).toMatchObject({ value: 1, duplicate: true })
    expect(sent).toBe(1)
  })
})

it.each([-5, 5])(
  'a process whose clock is %s hours wrong trims by that of the database',
  async (hours) => {
    const clock = virtualRuntime()
    await using test = await testApp((app) => app.use(counter), {
      database: memory({ store: memoryStore({ clock }) }),
      runtime: skewed(clock, () => hours * 3_600_000),
      retention: window,
    })
    let sent = 0
    const deliver = () => test.app.transaction(() => (sent += 1), { once })
    await deliver()
    await clock.advance('58m')
    expect(await deliver()).toMatchObject({ value: 1, duplicate: true })
    await clock.advance('5m')
    expect(await deliver()).toMatchObject({ value: 2, duplicate: false })
  },
)
