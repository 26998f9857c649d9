// Who reads the log after something was removed from it is told what is missing.
import { documents, projection } from 'thence'
import { retain, status } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { click, Clicked, keep, left, oldClicks, Paid, start } from '../kit/keeping.ts'
import type { Place } from '../kit/places.ts'
import { kinds, run } from '../kit/places.ts'

const mailing = (place: Place, warnings: string[], seen: number[] = []) =>
  run(
    place,
    (app) =>
      app.messages(Paid).handle('mail', Clicked, ({ data }) => {
        seen.push(data.n)
      }),
    {
      logger: {
        error: () => undefined,
        warn: (text) => void warnings.push(text),
        info: () => undefined,
      },
    },
  )

describe.each(kinds)('on $name', ({ make }) => {
  it('a new handler is told that it does not see everything', async () => {
    const place = make()
    const before = await start(place)
    await click(before, 'clicks-1', 1, 2, 3)
    await before.app.database.transact(({ events }) =>
      events.trim('clicks-1', { through: 2, limit: 9 }),
    )
    await before.stop()
    const warnings: string[] = []
    const seen: number[] = []
    const test = await mailing(place, warnings, seen)
    await test.settle()
    expect(warnings).toEqual([
      'thence: mail: goes on at position 0, but messages up to 2 were removed',
    ])
    expect(seen).toEqual([3])
    await test.stop()
    const again = await mailing(place, warnings, seen)
    await again.settle()
    expect(warnings).toHaveLength(1)
  })

  it('one that force has overtaken is told in the status, and at its next start', async () => {
    const place = make()
    const warnings: string[] = []
    const first = await mailing(place, warnings)
    await click(first, 'clicks-1', 1)
    await first.settle()
    await first.stop()
    const test = await start(place)
    await click(test, 'clicks-1', 2, 3)
    await test.app.append({ stream: 'paid', events: Paid({ n: 4 }) })
    await test.advance('2s')
    const on = { database: test.app.database, runtime: test.runtime }
    const rule = { category: 'clicks', olderThan: 0 }
    const told = async () =>
      (await status(on)).attention.filter(({ what }) => what.includes('removed'))
    expect((await retain(on, { rule })).rules).toMatchObject([
      { removed: 1, held: [{ reason: 'reader', by: 'mail', position: 2 }] },
    ])
    expect(await told()).toEqual([])
    await retain(on, { rule, force: true })
    expect(await told()).toMatchObject([
      { name: 'mail', what: 'is at 1, but messages up to 3 were removed' },
    ])
    await test.stop()
    const again = await mailing(place, warnings)
    await again.settle()
    expect(warnings).toEqual([
      'thence: mail: goes on at position 1, but messages up to 3 were removed',
    ])
  })

  it('a view is not built anew without what was removed, unless that is asked for', async () => {
    const counted = projection('counted', {
      view: documents<number>(),
      on: (on) => on(Clicked, (_, view) => view.update('n', (before = 0) => before + 1)),
    })
    const test = await run(make(), (app) => app.use(counted), keep([oldClicks]))
    await click(test, 'clicks-1', 1, 2)
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toEqual([])
    await click(test, 'clicks-1', 3)
    await test.settle()
    const refused = test.runtime.until(test.app.rebuild('counted'))
    await expect(refused).rejects.toMatchObject({
      code: 'HISTORY_TRUNCATED',
      details: { projection: 'counted', truncated: 2 },
    })
    const { database } = test.app
    const count = () => database.read((one) => one.documents.get('counted', 'n'))
    expect(await count()).toBe('3')
  })

  it('a version that is filled beside the one that serves is waited for, a kept one is not', async () => {
    const place = make()
    const counted = projection('counted', {
      view: documents<number>(),
      on: (on) => on(Clicked, (_, view) => view.update('n', (before = 0) => before + 1)),
    })
    const first = await run(place, (app) => app.use(counted))
    await click(first, 'clicks-1', 1)
    await first.settle()
    await first.stop()
    const test = await start(place)
    await click(test, 'paid', 2)
    const { database } = test.app
    const say = (versions: object): Promise<void> =>
      database.transact(async (transaction) => {
        await transaction.documents.put('$views', 'counted', JSON.stringify(versions))
      })
    await database.transact(({ checkpoints }) =>
      checkpoints.move('counted', { position: 1, generation: 0, epoch: 1 }, 2),
    )
    await database.transact(({ checkpoints }) =>
      checkpoints.move('counted@2', { position: 0, generation: 0 }, 0),
    )
    const side = { serving: 1, last: 2, removing: [] }
    const building = { version: 2, back: false, switch: 'auto', began: 0, from: 0, keep: null }
    await test.advance('1s')
    const on = { database, runtime: test.runtime }
    const rule = { category: 'clicks', olderThan: 0 }
    await say({ ...side, building })
    const held = [{ reason: 'reader', by: 'counted@2', position: 1 }]
    expect((await retain(on, { rule })).rules).toMatchObject([{ removed: 0, held }])
    await say({ ...side, kept: { version: 2, position: 0, since: 0, until: null } })
    expect((await retain(on, { rule })).rules).toMatchObject([{ removed: 1, held: [] }])
  })
})
