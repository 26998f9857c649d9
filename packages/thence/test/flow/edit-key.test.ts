// A correction may give a message another key: it takes its place there, behind what waits of that key and came before it.
import { event, handler } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { hashOf } from '../../src/internal/hash.ts'
import type { Kind } from '../kit/places.ts'
import { gate, kinds, run } from '../kit/places.ts'

interface Parcel {
  readonly n: number
  readonly to: string
}

const Sent = event('Sent', z.object({ n: z.number(), to: z.string().min(2) }))

interface CarrierOptions {
  readonly key?: () => string
  readonly partitions?: number
  readonly maxInFlight?: number
  /** Throws for what cannot be delivered now. */
  readonly deliver: (parcel: Parcel) => Promise<void> | void
}

/** Delivers parcels in order of where they go. */
const carrier = async ({ make }: Kind, { deliver, ...options }: CarrierOptions) => {
  const place = make()
  const delivered: number[] = []
  const handling = handler('carrier', Sent, {
    key: ({ data }) => data.to,
    ...options,
    retry: { attempts: 1 },
    run: async ({ data }) => {
      await deliver(data)
      delivered.push(data.n)
    },
  })
  const another = () => run(place, (builder) => builder.use(handling))
  const test_ = await another()
  const on = { database: test_.app.database, runtime: place.runtime }
  const post = (...parcels: readonly Parcel[]) =>
    test_.app.append({ events: parcels.map((one) => Sent(one)) })
  const letterOf = async (n: number) => {
    const letters = await on.database.read(({ deadLetters }) => deadLetters.list({ limit: 9 }))
    return letters.find(({ message }) => (JSON.parse(message.data) as Parcel).n === n)
  }
  const edit = async (n: number, data: unknown) => admin.edit(on, (await letterOf(n))!.id, { data })
  const redrive = async (n: number) => admin.redrive(on, (await letterOf(n))!.id)
  const { runtime } = place
  return { test: test_, delivered, post, letterOf, edit, redrive, another, runtime }
}

describe.each(kinds)('a correction that changes the key, on $name', (kind) => {
  test('waits behind what waits of its new key, and what waited behind it goes on', async () => {
    let isAway = true
    const deliver = ({ to }: Parcel): void => {
      if (to === 'bbo' || (to === 'bob' && isAway)) throw new Error('Nobody is there.')
    }
    const { test: app, delivered, post, edit, redrive } = await carrier(kind, { deliver })
    await post({ n: 1, to: 'bob' }, { n: 2, to: 'bbo' }, { n: 3, to: 'bbo' }, { n: 4, to: 'bob' })
    await app.settle()
    await edit(2, { n: 2, to: 'bob' })
    await app.advance('5s')
    expect(delivered).toEqual([])
    isAway = false
    await redrive(1)
    await app.advance('5s')
    expect(delivered).toEqual([1, 2, 4])
    await edit(3, { n: 3, to: 'bob' })
    await app.advance('5s')
    expect(delivered).toEqual([1, 2, 4, 3])
  })

  test('holds up what comes later of its new key until it went through', async () => {
    let isAway = true
    const deliver = ({ n, to }: Parcel): void => {
      if (to === 'bbo' || (n === 1 && isAway)) throw new Error('Nobody is there.')
    }
    const { test: app, delivered, post, edit, redrive, letterOf } = await carrier(kind, { deliver })
    await post({ n: 1, to: 'bbo' })
    await app.advance('1s')
    await edit(1, { n: 1, to: 'bob' })
    await app.advance('2s')
    expect(await letterOf(1)).toMatchObject({ state: 'parked', key: 'bob' })
    await post({ n: 2, to: 'bob' }, { n: 3, to: 'bbo-2' })
    await app.advance('2s')
    expect(delivered).toEqual([3])
    isAway = false
    await redrive(1)
    await app.advance('2s')
    expect(delivered).toEqual([3, 1, 2])
  })

  test('waits until the partition of its new key has come to its place', async () => {
    const odd = ['bob', 'ann', 'eve', 'sue'].filter((to) => hashOf(to) % 2 === 1)
    const even = ['bbo', 'nan', 'vee', 'use'].filter((to) => hashOf(to) % 2 === 0)
    const [slow, other] = odd as [string, string]
    const door = gate()
    const deliver = async ({ to }: Parcel): Promise<void> => {
      if (to === even[0]) throw new Error('Nobody is there.')
      if (to === slow) await door.opened
    }
    const options = { deliver, partitions: 2, maxInFlight: 1 }
    const { test: app, delivered, post, edit, runtime } = await carrier(kind, options)
    // For a second the partition of the odd ones stands at what takes long, and does not know of the third yet.
    await post({ n: 1, to: slow }, { n: 2, to: slow }, { n: 3, to: other }, { n: 4, to: even[0]! })
    await runtime.advance('100ms')
    await edit(4, { n: 4, to: other })
    app.app.wake()
    await runtime.advance('500ms')
    expect(delivered).toEqual([])
    door.open()
    await app.settle()
    expect(delivered).toEqual([1, 2, 3, 4])
  })

  test('goes to the process that has its new key, and waits there', async () => {
    const [bob] = ['bob', 'ann', 'eve'].filter((to) => hashOf(to) % 2 === 1) as [string]
    const [typo] = ['bbo', 'nan', 'vee'].filter((to) => hashOf(to) % 2 === 0) as [string]
    let isAway = true
    const deliver = ({ to }: Parcel): void => {
      if (to === typo || (to === bob && isAway)) throw new Error('Nobody is there.')
    }
    const one = await carrier(kind, { deliver, partitions: 2 })
    await one.another()
    await one.runtime.advance('3s')
    await one.post({ n: 1, to: bob }, { n: 2, to: typo }, { n: 3, to: bob })
    await one.test.advance('2s')
    await one.edit(2, { n: 2, to: bob })
    await one.test.advance('3s')
    expect(one.delivered).toEqual([])
    isAway = false
    await one.redrive(1)
    await one.test.advance('3s')
    expect(one.delivered).toEqual([1, 2, 3])
  })

  test('is tried though its key is another one at each look', async () => {
    let looks = 0
    let isAway = true
    const deliver = (): void => {
      if (isAway) throw new Error('Nobody is there.')
    }
    const key = () => `${(looks += 1)}`
    const { test: app, delivered, post, edit } = await carrier(kind, { deliver, key })
    await post({ n: 1, to: 'bob' })
    await app.advance('1s')
    isAway = false
    await edit(1, { n: 2, to: 'bob' })
    await app.advance('1s')
    expect(delivered).toEqual([2])
  })

  test('keeps the key of the letter if it cannot be read', async () => {
    const deliver = ({ to }: Parcel): void => {
      if (to === 'bbo') throw new Error('Nobody is there.')
    }
    const { test: app, delivered, post, edit, letterOf } = await carrier(kind, { deliver })
    await post({ n: 1, to: 'bbo' }, { n: 2, to: 'bbo' })
    await app.advance('1s')
    await edit(1, { n: 1, to: '' })
    await app.advance('2s')
    expect(await letterOf(1)).toMatchObject({ state: 'parked', key: 'bbo' })
    await edit(1, { n: 1, to: 'bob' })
    await app.advance('2s')
    expect(delivered).toEqual([1])
    expect(await letterOf(2)).toMatchObject({ state: 'parked', key: 'bbo' })
  })
})
