// One id, one command, whatever the schema makes of what was sent: what the sender gave is compared, or what it was made.
import { aggregate, command, event, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Kind, Place } from '../kit/places.ts'
import { kinds, run } from '../kit/places.ts'

const Less = command('Less', plain<{ n: number }>())
const Added = event('Added', plain<{ n: number }>())
const refusal = { code: 'MESSAGE_ID_REUSED', details: { id: 'mine' } }

describe('a schema', () => {
  const [{ make }] = kinds as readonly [Kind]
  let drawn = 0

  /** An aggregate whose command has this schema. */
  const withSchema = (place: Place, Give: ReturnType<typeof give>) =>
    run(place, (app) =>
      app.use(
        aggregate('counter', {
          initial: () => ({}),
          evolve: (on) => on(Added, (state) => state),
          decide: (on) => on(Give, (_, { data }) => Added({ n: data.n })),
          stream: () => 'one',
        }),
      ),
    )

  const give = (currency: string) =>
    command(
      'Give',
      z.object({
        n: z.number(),
        currency: z.string().default(currency),
        at: z.number().default(() => (drawn += 1)),
      }),
    )

  it('may fill in something else each time: what the sender gave is the same', async () => {
    const Give = give('EUR')
    const test = await withSchema(make(), Give)
    await test.app.send(Give({ n: 1 }, { id: 'mine' }))
    expect(await test.app.send(Give({ n: 1 }, { id: 'mine' }))).toMatchObject({ duplicate: true })
    await expect(test.app.send(Give({ n: 2 }, { id: 'mine' }))).rejects.toMatchObject(refusal)
  })

  it('may leave out what a sender says, or be told what it fills in: what it makes is the same', async () => {
    const Give = give('EUR')
    const test = await withSchema(make(), Give)
    await test.app.send(Give({ n: 1, at: 5 }, { id: 'mine' }))
    const full = Give({ at: 5, currency: 'EUR', n: 1 }, { id: 'mine' })
    expect(await test.app.send(full)).toMatchObject({ duplicate: true })
    const more = { n: 1, at: 5, sent: 'today' }
    expect(await test.app.send(Give(more, { id: 'mine' }))).toMatchObject({ duplicate: true })
    const dollars = Give({ n: 1, at: 5, currency: 'USD' }, { id: 'mine' })
    await expect(test.app.send(dollars)).rejects.toMatchObject(refusal)
  })

  it('may fill in something else after a deploy', async () => {
    const place = make()
    const [Old, New] = [give('EUR'), give('USD')]
    const old = await withSchema(place, Old)
    await old.app.send(Old({ n: 1, at: 5 }, { id: 'mine' }))
    await old.stop()
    const young = await withSchema(place, New)
    expect(await young.app.send(New({ n: 1, at: 5 }, { id: 'mine' }))).toMatchObject({
      duplicate: true,
    })
  })

  it('may have a new version after a deploy, with which nothing is compared but the type', async () => {
    const place = make()
    const Old = command('Move', z.object({ n: z.number() }))
    const New = Old.upcast(z.object({ by: z.number() }), ({ n }) => ({ by: n }))
    const old = await run(place, (app) =>
      app.use(
        aggregate('counter', {
          initial: () => ({}),
          evolve: (on) => on(Added, (state) => state),
          decide: (on) => on(Old, (_, { data }) => Added(data)),
          stream: () => 'one',
        }),
      ),
    )
    await old.app.send(Old({ n: 1 }, { id: 'decided' }))
    await old.app.send(Old({ n: 1 }, { id: 'waiting' }), { in: '1d' })
    await old.stop()
    const young = await run(place, (app) =>
      app.use(
        aggregate('counter', {
          initial: () => ({}),
          evolve: (on) => on(Added, (state) => state),
          decide: (on) =>
            on(New, (_, { data }) => Added({ n: data.by })).on(Less, () => Added({ n: 9 })),
          stream: () => 'one',
        }),
      ),
    )
    expect(await young.app.send(New({ by: 1 }, { id: 'decided' }))).toMatchObject({
      duplicate: true,
    })
    const waiting = await young.app.send(New({ by: 1 }, { id: 'waiting' }), { in: '1d' })
    expect(waiting.duplicate).toBe(true)
    await expect(young.app.send(Less({ n: 1 }, { id: 'decided' }))).rejects.toMatchObject({
      code: 'MESSAGE_ID_REUSED',
    })
  })
})
