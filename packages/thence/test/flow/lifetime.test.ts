// The beginning and the end of an app: a start that fails leaves nothing, and the end waits for those who wait.
import type { App, Database } from 'thence'
import { aggregate, app, command, documents, event, plain, projection, query } from 'thence'
import { memory } from 'thence/memory'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gate, kinds, look, run, wrap } from '../kit/places.ts'

const Add = command('Add', plain<null>())
const Added = event('Added', plain<{ n: number }>())
const Count = query('Count', { input: plain<null>(), output: plain<number>() })

const counter = aggregate('counter', {
  initial: () => 0,
  evolve: (on) => on(Added, (count) => count + 1),
  decide: (on) => on(Add, (count) => Added({ n: count + 1 })),
  stream: () => '1',
})

const count = (broken: { on?: number } = {}) =>
  projection('count', {
    retry: { attempts: 1 },
    view: documents<{ n: number }>(),
    on: (on) =>
      on(Added, async ({ data: { n } }, view) => {
        if (n === broken.on) throw new Error('broken')
        await view.put('all', { n })
      }),
    answers: (on) => on(Count, async (_, view) => (await view.get('all'))?.n ?? 0),
  })

describe.each(kinds)('the end of an app on $name', ({ make }) => {
  it('waits for what was called before it, and refuses what is called after it', async () => {
    const place = make()
    const test = await run(place, (one) => one.use(counter, count()))
    const { position } = await test.app.send(Add(null))
    const calls = [
      ...Array.from({ length: 5 }, () => test.app.send(Add(null))),
      test.app.append({ stream: 'other', events: Added({ n: 7 }) }),
      test.app.ask(Count(null), { after: position }),
    ]
    const ended = test.stop()
    const codes = [
      () => test.app.send(Add(null)),
      () => test.app.append({ events: Added({ n: 1 }) }),
      () => test.app.ask(Count(null)),
    ].map((call) => call().catch(({ code }: { code: string }) => code))
    expect(await Promise.all(codes)).toEqual(['APP_STOPPED', 'APP_STOPPED', 'APP_STOPPED'])
    await ended
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual(calls.map(() => 'fulfilled'))
  })

  it('waits no longer than its deadline', async () => {
    const test = await run(make(), (one) => one.use(count()))
    const asked = test.app.ask(Count(null), { after: 1000, timeout: '1h' })
    const refused = asked.catch(({ code }: { code: string }) => code)
    const before = test.runtime.now()
    await test.runtime.until(test.app.stop({ deadline: '3s' }))
    expect(test.runtime.now() - before).toBeLessThan(4000)
    await test.runtime.advance('1h')
    expect(['POSITION_TIMEOUT', 'APP_STOPPED', 'STORE_CLOSED']).toContain(await refused)
  })
})

describe.each(kinds)('a rebuild that cannot go on, on $name', ({ make }) => {
  it('is told with its dead letter, and does not keep anyone waiting for the app to be idle', async () => {
    const broken: { on?: number } = {}
    const test = await run(make(), (one) => one.use(count(broken)))
    await test.app.append({ events: [1, 2, 3].map((n) => Added({ n })) })
    await test.settle()
    broken.on = 2
    const halted = await test.runtime
      .until(test.app.rebuild('count'))
      .catch((error: unknown) => error)
    const [letter] = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 2 }))
    expect(halted).toMatchObject({ code: 'STATE_INVALID', details: { letter: letter?.id } })
    expect(String(halted)).toContain(`thence dead-letters show ${letter?.id}`)
    await test.settle()
    delete broken.on
    await test.runtime.until(test.app.rebuild('count', { restart: true }))
    expect(await test.app.ask(Count(null))).toBe(3)
  })
})

describe('a start that fails', () => {
  it('leaves nothing that runs', async () => {
    const inner = memory()
    onTestFinished(() => inner.close())
    const kept = (own: Partial<Database>): Database =>
      wrap(inner, { close: async () => undefined, ...own })
    const writer = await app({ database: kept({}), logger: false })
      .messages(Added)
      .start()
    await writer.append({ events: Added({ n: 1 }) })
    await writer.stop()
    let failed = 0
    // Some of the reads are of a subscription that runs already, which survives them.
    for (let failing = 0; failing < 8; failing += 1) {
      let reads = 0
      const runtime = virtualRuntime()
      const ran: number[] = []
      const running = gate()
      const database = kept({
        read: async (work) => {
          reads += 1
          if (reads === failing + 1) throw new Error('disk')
          return inner.read(work)
        },
      })
      const start = app({ database, logger: false, runtime })
        .handle(`one${failing}`, Added, async () => {
          ran.push(1)
          await running.opened
        })
        .handle(`two${failing}`, Added, () => void ran.push(2))
        .start()
      const outcome = await runtime.until(
        start.then(
          (started): App | undefined => started as unknown as App,
          () => undefined,
        ),
      )
      running.open()
      if (outcome !== undefined) {
        await runtime.until(outcome.stop())
        continue
      }
      failed += 1
      const before = { ran: ran.length, reads }
      await runtime.advance('1m')
      expect({ ran: ran.length, reads }).toEqual(before)
      expect(runtime.planned).toBe(0)
    }
    expect(failed).toBeGreaterThan(2)
  })
})
