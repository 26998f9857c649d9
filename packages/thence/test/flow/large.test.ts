// Messages so large that a page ends by bytes long before its count: whoever reads in pages still reads everything.
import { documents, event, plain, projection, query } from 'thence'
import { events } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { kinds, run } from '../kit/places.ts'

const Uploaded = event('Uploaded', plain<{ n: number; text: string }>())
const Count = query('Count', { input: plain<null>(), output: plain<number>() })

const counted = projection('counted', {
  inline: true,
  view: documents<number>(),
  on: (on) => on(Uploaded, (_, view) => view.update('n', (before = 0) => before + 1)),
  answers: (on) => on(Count, async (_, view) => (await view.get('n')) ?? 0),
})

const total = 20
const upload = (n: number) => Uploaded({ n, text: 'x'.repeat(1_000_000) })

describe.each(kinds)('large messages on $name', ({ make }) => {
  it('are all read, counted and listed', { timeout: 60_000 }, async () => {
    const place = make()
    const before = await run(place, (app) => app.messages(Uploaded))
    for (let n = 1; n <= total; n += 1)
      await before.app.append({ stream: 'files', events: [upload(n)] })
    const read: number[] = []
    for await (const { version } of before.app.log()) read.push(version)
    expect(read).toEqual(Array.from({ length: total }, (_, index) => index + 1))
    const page = await events({ database: before.app.database }, { limit: 100 })
    expect(page.more).toBe(true)
    expect(page.messages.length).toBeLessThan(10)
    await before.stop()
    const after = await run(place, (app) => app.use(counted))
    expect(await after.app.ask(Count(null))).toBe(total)
    await after.stop()
  })
})
