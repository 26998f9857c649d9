// More appends than may wait for their commit: what is over is refused at once, nothing of it is written, and the rest is.
import { app, event, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { kinds, run } from '../kit/places.ts'

const Said = event('Said', plain<{ readonly n: number }>())

describe.each(kinds)('appends that nobody awaits on $name', ({ make }) => {
  it('are refused beyond the limit, and only those', async () => {
    const place = make()
    const running = await run(place, (building) => building.messages(Said), {
      appends: { maxInFlight: 10 },
    })
    const made = await Promise.allSettled(
      Array.from({ length: 25 }, (_, n) => running.app.append({ events: Said({ n }) })),
    )
    expect(made.map(({ status }) => status)).toEqual(
      Array.from({ length: 25 }, (_, n) => (n < 10 ? 'fulfilled' : 'rejected')),
    )
    const refused = made.filter((one) => one.status === 'rejected')
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'STORE_OVERLOADED' })
    // The callers that were refused may come again now.
    await running.app.append({ events: Said({ n: 25 }) })
    const stored: unknown[] = []
    for await (const { data } of running.app.log()) stored.push(data)
    expect(stored).toEqual([...Array.from({ length: 10 }, (_, n) => ({ n })), { n: 25 }])
    await running.stop()
  })

  it.each([{ maxInFlight: 0 }, { maxBytes: 1.5 }])('a limit of %j is refused', (appends) => {
    const database = make().open()
    expect(() => app({ database, appends })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })
})
