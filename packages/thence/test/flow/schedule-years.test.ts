// Ten virtual years of schedules in six zones: four processes whose clocks are wrong by an hour, a database's clock that is
// set forward and back, restarts, and failing commits. No slot is missed, none is sent twice, none is early.
import type { Database, Schedule } from 'thence'
import { memory, memoryStore } from 'thence/memory'
import { expect, it, onTestFinished } from 'vitest'
import { Make, nightly } from '../kit/night.ts'
import type { Node } from '../kit/nodes.ts'
import { MovableClock, startNode } from '../kit/nodes.ts'
import { file } from '../kit/places.ts'
import { skewed } from '../kit/skew.ts'
import type { WorldOptions } from '../kit/years.ts'
import { World } from '../kit/years.ts'

const hour = 3_600_000
const day = 24 * hour

const daily: readonly Schedule[] = [
  ['Europe/Berlin', '30 2 * * *'],
  ['America/New_York', '15 2 * * *'],
  ['America/St_Johns', '0 1 * * *'],
  ['Australia/Lord_Howe', '10 2 * * *'],
  ['Asia/Kathmandu', '45 23 * * *'],
  ['Africa/Casablanca', '30 2 * * *'],
].map(([zone = '', cron = '']) =>
  nightly(
    { zone, cron, catchUp: 'all', send: ({ time }) => Make({ of: `${time}`, manual: false }) },
    zone,
  ),
)

/** Every slot of a schedule from one moment to another. */
const slotsOf = ({ slots }: Schedule, from: number, until: number): readonly number[] => {
  const found: number[] = []
  for (let slot = slots.next(from); slot <= until; slot = slots.next(slot)) found.push(slot)
  return found
}

interface Sent {
  readonly schedule: string
  readonly slot: number
  readonly time: number
}

const sentIn = async (database: Database): Promise<readonly Sent[]> => {
  const sent: Sent[] = []
  for (let from = 1; ;) {
    const page = await database.read(({ events }) =>
      events.readStream('commands-Make', { from, limit: 1000 }),
    )
    for (const { id, data, time } of page) {
      const slot = Number((JSON.parse(data) as { of: string }).of)
      sent.push({ schedule: id.slice(0, id.indexOf('@')), slot, time })
    }
    if (page.length < 1000) return sent
    from += page.length
  }
}

interface Kind extends Pick<WorldOptions, 'together' | 'connect'> {
  readonly name: string
  readonly years: number
}

const kinds: readonly Kind[] = [
  {
    name: 'memory',
    years: 10,
    together: true,
    connect: (clock) => {
      const store = memoryStore({ clock: clock.runtime })
      return async (process) => {
        const database = memory({ store })
        await database.open(process)
        return database
      }
    },
  },
  {
    // All processes of a machine have its clock; what differs is what each of them believes. One after the other: who waits
    // for a file would wait for a clock that stands still.
    name: 'sqlite in a file',
    years: 2,
    together: false,
    connect: (clock) => {
      const place = file.make()
      return async () => {
        const database = place.open()
        await database.open(clock.runtime)
        await database.migrate()
        onTestFinished(() => database.close())
        return database
      }
    },
  },
]

it.each(kinds)(
  'in $years years on $name nothing is missed, doubled or early',
  { timeout: 240_000 },
  async ({ years, ...kind }) => {
    const world = new World({ seed: 7, schedules: daily, takes: [Make], ...kind })
    const begin = world.clock.now()
    await world.begin()
    await world.live(begin + years * 365 * day)
    const sent = await sentIn(world.database)
    for (const schedule of daily) {
      const own = sent.filter((one) => one.schedule === schedule.name)
      const slots = own.map(({ slot }) => slot)
      expect(slots, schedule.name).toEqual(slotsOf(schedule, begin, world.clock.now()))
      expect(own.filter(({ slot, time }) => time < slot)).toEqual([])
    }
    expect(world.repeated).toBe(0)
    for (const [hazard, struck] of Object.entries(world.hazards))
      expect(struck, hazard).toBeGreaterThan(0)
  },
)

it('two connections that disagree about the time by an hour neither miss nor double anything', async () => {
  const clock = new MovableClock()
  const begin = clock.now()
  const path = file.make()
  const nodes: Node[] = []
  for (const by of [-hour, hour]) {
    const process = skewed(clock.runtime, () => by)
    const database = path.open()
    await database.open(process)
    await database.migrate()
    onTestFinished(() => database.close())
    nodes.push(await startNode({ database, schedules: daily, takes: [Make], runtime: process }))
  }
  for (let n = 0; n < 60; n += 1) {
    clock.move(7 * hour)
    for (const node of n % 2 === 0 ? nodes : nodes.toReversed()) await node.look()
  }
  const sent = await sentIn(nodes[0]!.store.database)
  for (const schedule of daily) {
    const own = sent.filter((one) => one.schedule === schedule.name).map(({ slot }) => slot)
    expect(own).toEqual(slotsOf(schedule, begin + hour, clock.now() + hour))
  }
  expect(nodes.map((node) => node.repeated())).toEqual([0, 0])
})
