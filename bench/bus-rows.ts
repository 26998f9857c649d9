/**
 * The cases of bus.ts as rows: one event at a time to one or ten handlers, each emit awaited until all are done.
 */
import type { Case, Row } from './bench.ts'
import { check } from './bench.ts'
import { keepCalling, rate, warmUp } from './load.ts'

const load = () => import('./bus.ts')

type Bus = Awaited<ReturnType<typeof load>>
type System = Bus['systems'][number]
type Handlers = Bus['cases'][number]['handlers']

const perCall = 1000
const ours = 'thence bus()'

const toCase = (system: System, handlers: Handlers): Case => ({
  name: system.name,
  side: system.name.startsWith(ours) ? 'ours' : system.name.startsWith('by hand') ? 'raw' : 'rival',
  async run({ seconds }) {
    let handled = 0
    const counting = handlers.map((handler) => (given: Parameters<typeof handler>[0]) => {
      handled += 1
      return handler(given)
    })
    const emit = await system.setUp(counting)
    let emitted = 0
    const once = async (): Promise<void> => {
      await emit(perCall)
      emitted += perCall
    }
    // Nothing waits for a disk here: a third of the time gives steady figures.
    await keepCalling(1, (seconds / 3) * warmUp, once)
    const done = await keepCalling(1, seconds / 3, once)
    check('handlers called', handled, emitted * handlers.length)
    return { value: rate(done) * perCall }
  },
})

const rowOf = (
  name: string,
  one: Bus['cases'][number],
  inOrder: { first: System; others: readonly System[] },
): Row => ({
  name,
  title: `bus(), ${one.name}`,
  unit: 'events/s',
  durability: 'in memory, no store',
  cases: [inOrder.first, ...inOrder.others].map((system) => toCase(system, one.handlers)),
  targets: [
    { against: 'by hand: Map, await Promise.all', atLeast: 0.7 },
    ...['emittery', 'emmett in-memory bus', '@nestjs/cqrs, waited for per 500'].map((against) => ({
      against,
      atLeast: 1,
    })),
  ],
})

/** The names of the rows, in the order of bus.ts. */
export const busNames: readonly string[] = ['bus-1', 'bus-10', 'bus-1-sync', 'bus-10-sync']

/** Loads the peers, which is why it is done only when one of the rows is wanted. */
export async function busRows(): Promise<readonly Row[]> {
  const { cases, systems } = await load()
  const first = systems.find(({ name }) => name === ours)
  if (first === undefined) throw new Error(`bus.ts has no system named ${ours}`)
  const others = systems.filter((system) => system !== first)
  return cases.map((one, index) => rowOf(busNames[index] ?? one.name, one, { first, others }))
}
