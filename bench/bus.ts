// The stand-alone bus beside its peers and two hand-written loops: what does it cost to bring one event to one handler
// or ten, and to know that they are done? `npm run bench:install`, then node --conditions=thence-source bench/bus.ts
import 'reflect-metadata'
import { getInMemoryMessageBus } from '@event-driven-io/emmett'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { CqrsModule, EventBus, EventsHandler } from '@nestjs/cqrs'
import Emittery from 'emittery'
import { z } from 'zod'
import { bus } from '../packages/thence/src/bus/bus.ts'
import { event } from '../packages/thence/src/message/define.ts'
import type { EventMessage } from '../packages/thence/src/message/message.ts'
import { plain } from '../packages/thence/src/message/schema.ts'

type Data = { readonly id: string; readonly cents: number }
type Placed = EventMessage<'OrderPlaced', Data>
type Handler = (event: Placed) => unknown

/** A system under measure: runs `count` events through its handlers and resolves when all of them are done. */
type Emitter = (count: number) => Promise<void>

interface System {
  readonly name: string
  readonly setUp: (handlers: readonly Handler[]) => Emitter | Promise<Emitter>
}

const OrderPlaced = event('OrderPlaced', plain<Data>())
const CheckedPlaced = event('OrderPlaced', z.object({ id: z.string(), cents: z.number() }))
const placed: Placed = OrderPlaced({ id: '7', cents: 4200 })

/** One event after the other, each awaited. */
const awaited =
  (emit: (event: Placed) => Promise<unknown>): Emitter =>
  async (count) => {
    for (let n = 0; n < count; n++) await emit(placed)
  }

const byType = (handlers: readonly Handler[]) => new Map([['OrderPlaced', handlers]])

const loopAll: System = {
  name: 'by hand: Map, await Promise.all',
  setUp: (handlers) => {
    const map = byType(handlers)
    return awaited(async (given) => {
      const found = map.get(given.type)
      if (found !== undefined) await Promise.all(found.map((handler) => handler(given)))
    })
  },
}

const loopEach: System = {
  name: 'by hand: Map, await one by one',
  setUp: (handlers) => {
    const map = byType(handlers)
    return awaited(async (given) => {
      for (const handler of map.get(given.type) ?? []) await handler(given)
    })
  },
}

const thence: System = {
  name: 'thence bus()',
  setUp: (handlers) => {
    const events = bus()
    for (const handler of handlers) events.on(OrderPlaced, handler)
    return awaited((given) => events.emit(given))
  },
}

const thenceChecked: System = {
  name: 'thence bus(), zod schema',
  setUp: (handlers) => {
    const events = bus()
    for (const handler of handlers) events.on(CheckedPlaced, handler)
    return awaited((given) => events.emit(given))
  },
}

const emmett: System = {
  name: 'emmett in-memory bus',
  setUp: (handlers) => {
    const events = getInMemoryMessageBus()
    for (const handler of handlers) events.subscribe(handler as never, 'OrderPlaced')
    return awaited((given) => events.publish(given as never))
  },
}

const emittery: System = {
  name: 'emittery',
  setUp: (handlers) => {
    const events = new Emittery<{ OrderPlaced: Placed }>()
    for (const handler of handlers)
      events.on('OrderPlaced', (given) => handler(given.data) as Promise<void>)
    return awaited((given) => events.emit('OrderPlaced', given))
  },
}

/** Its publish cannot be awaited; it gets the benefit of publishing 500 before anyone waits for them. */
const nest: System = {
  name: '@nestjs/cqrs, waited for per 500',
  setUp: async (handlers) => {
    class NestPlaced {
      readonly message: Placed = placed
    }
    let left = 0
    let done = (): void => undefined
    const providers = handlers.map((handler) => {
      class NestHandler {
        async handle(given: NestPlaced): Promise<void> {
          await handler(given.message)
          if (--left === 0) done()
        }
      }
      EventsHandler(NestPlaced)(NestHandler)
      return NestHandler
    })
    class Root {}
    Module({ imports: [CqrsModule.forRoot()], providers })(Root)
    const app = await NestFactory.createApplicationContext(Root, { logger: false })
    await app.init()
    const events = app.get(EventBus)
    return async (count) => {
      for (let sent = 0; sent < count; sent += 500) {
        const size = Math.min(500, count - sent)
        left = size * handlers.length
        const { promise, resolve } = Promise.withResolvers<void>()
        done = resolve
        for (let n = 0; n < size; n++) events.publish(new NestPlaced())
        await promise
      }
    }
  },
}

let handled = 0
const asyncHandler = (): Handler => async (given) => {
  handled += given.data.cents
}
const syncHandler = (): Handler => (given) => {
  handled += given.data.cents
}

interface Case {
  readonly name: string
  readonly handlers: readonly Handler[]
}

const times = <T>(count: number, make: () => T): readonly T[] => Array.from({ length: count }, make)

export const name = 'bus'
export const systems: readonly System[] = [
  loopAll,
  loopEach,
  thence,
  thenceChecked,
  emmett,
  emittery,
  nest,
]
export const cases: readonly Case[] = [
  { name: '1 async handler, awaited', handlers: times(1, asyncHandler) },
  { name: '10 async handlers, awaited', handlers: times(10, asyncHandler) },
  { name: '1 sync handler, awaited', handlers: times(1, syncHandler) },
  { name: '10 sync handlers, awaited', handlers: times(10, syncHandler) },
]

export interface Figure {
  readonly case: string
  readonly system: string
  /** Events per second. */
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Events per second during about `ms` milliseconds. */
async function rate(emit: Emitter, ms: number): Promise<number> {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < ms) {
    await emit(1000)
    count += 1000
  }
  return (count / (performance.now() - start)) * 1000
}

async function measure({ name, handlers }: Case, rounds: number, ms: number): Promise<Figure[]> {
  const running: { system: string; emit: Emitter; rates: number[] }[] = []
  for (const system of systems)
    running.push({ system: system.name, emit: await system.setUp(handlers), rates: [] })
  for (const { emit } of running) await rate(emit, ms)
  // Interleaved, and each round begins with another system: nobody always runs on a warm or a busy machine.
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < running.length; n++) {
      const turn = running[(n + round) % running.length]
      turn?.rates.push(await rate(turn.emit, ms))
    }
  }
  return running.map(({ system, rates }) => {
    const sorted = rates.toSorted((a, b) => a - b)
    const at = (place: number): number => sorted[Math.floor(place * (sorted.length - 1))] ?? 0
    return { case: name, system, median: at(0.5), min: at(0), max: at(1) }
  })
}

const million = (perSecond: number): string => (perSecond / 1e6).toFixed(2)

function print(figures: readonly Figure[]): void {
  const ours = figures.find(({ system }) => system === thence.name)?.median ?? NaN
  const width = Math.max(...figures.map(({ system }) => system.length))
  console.log(`\n${figures[0]?.case ?? ''} (million events/s)`)
  console.log(`  ${''.padEnd(width)}  median        min–max  ours ÷ it`)
  for (const { system, median, min, max } of figures) {
    const cells = [million(median).padStart(6), `${million(min)}–${million(max)}`.padStart(13)]
    console.log(
      `  ${system.padEnd(width)}  ${cells.join('  ')}  ${(ours / median).toFixed(2).padStart(9)}`,
    )
  }
}

/** Runs all cases: about 20 s with the defaults. */
export async function run(rounds = 7, ms = 100): Promise<readonly Figure[]> {
  const all: Figure[] = []
  for (const one of cases) all.push(...(await measure(one, rounds, ms)))
  return all
}

if (import.meta.main) {
  const figures = await run()
  for (const { name } of cases) print(figures.filter((figure) => figure.case === name))
  if (handled === 0) throw new Error('no handler was called')
}
