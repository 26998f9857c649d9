// An app on a real server, by the clock of the world: what it records is handled, by whichever process, and what was committed is there
// for the next one.
import { app, documents, event, plain, projection, query } from 'thence'
import { onTestFinished, expect, it } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

const Placed = event('Placed', plain<{ order: string }>())
const Mailed = event('Mailed', plain<{ order: string }>())
const Status = query('Status', { input: plain<string>(), output: plain<string>() })

const status = projection('status', {
  view: documents<{ status: string }>(),
  on: (on) =>
    on(Placed, ({ data }, view) => view.put(data.order, { status: 'placed' })).on(
      Mailed,
      ({ data }, view) => view.put(data.order, { status: 'mailed' }),
    ),
  answers: (on) => on(Status, async (id, view) => (await view.get(id))?.status ?? 'unknown'),
})

it('what an app on PostgreSQL records is handled and shown, and is there for the next app', async () => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const handled: string[] = []
  const start = () =>
    app({ database: place.connect({ clock: 'database' }) })
      .use(status)
      .handle('mail', Placed, ({ data }, { append }) => {
        handled.push(data.order)
        append(`mail-${data.order}`, Mailed(data))
      })
      .start()

  const first = await start()
  await first.append({ stream: 'order-1', events: [Placed({ order: '1' })] })
  await first.whenIdle()
  expect(await first.ask(Status('1'))).toBe('mailed')
  await first.stop()

  const second = await start()
  await second.append({ stream: 'order-2', events: [Placed({ order: '2' })] })
  await second.whenIdle()
  expect(await second.ask(Status('1'))).toBe('mailed')
  expect(await second.ask(Status('2'))).toBe('mailed')
  expect(handled).toEqual(['1', '2'])
  await second.stop()
})
