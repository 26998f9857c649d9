// Commands that come twice at once, from two processes on one store, and commands that do not say for whom they are.
import { aggregate, command, event, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { gate, kinds, look, run, wrap } from '../kit/places.ts'

const Add = command('Add', plain<{ n: number }>())
const Added = event('Added', plain<{ n: number; sum: number }>())

const account = aggregate('account', {
  initial: () => ({ sum: 0 }),
  evolve: (on) => on(Added, (_, { data }) => ({ sum: data.sum })),
  decide: (on) => on(Add, ({ sum }, { data: { n } }) => Added({ n, sum: sum + n })),
  stream: () => '1',
  snapshot: { every: 2 },
})

describe.each(kinds)('a command that is sent twice at once on $name', ({ make }) => {
  it('leaves no snapshot of what it did not see', async () => {
    const place = make()
    const slow = gate()
    let held = false
    const first = await run(place, (app) => app.use(account), {
      around: (one) =>
        wrap(one, {
          append: async (requests) => {
            if (held) await slow.opened
            return one.append(requests)
          },
        }),
    })
    const second = await run(place, (app) => app.use(account))
    await first.app.send(Add({ n: 1 }))
    held = true
    const late = first.app.send(Add({ n: 100 }, { id: 'x' }))
    await first.runtime.rest()
    await second.app.send(Add({ n: 10 }))
    await second.app.send(Add({ n: 100 }, { id: 'x' }))
    slow.open()
    expect(await late).toMatchObject({ duplicate: true, version: 3 })
    await first.runtime.rest()
    const saved = await look(second)(({ snapshots }) => snapshots.load('account-1', 'account/1'))
    expect(saved).toMatchObject({ version: 2, state: '{"sum":11}' })
    expect((await second.app.send(Add({ n: 1000 }))).events[0]?.data).toMatchObject({ sum: 1111 })
  })
})

describe.each(kinds)('a command with an id of its own on $name', ({ make }) => {
  const Asked = event('Asked', plain<{ n: number }>())
  const start = () =>
    run(make(), (app) =>
      app
        .use(account)
        .handle('asks', Asked, ({ data }, { send }) => send(Add({ n: data.n }, { id: 'x' }))),
    )

  it('is decided once, recorded first and sent again', async () => {
    const test = await start()
    await test.app.append({ events: Asked({ n: 5 }) })
    await test.settle()
    expect(await test.app.send(Add({ n: 5 }, { id: 'x' }))).toMatchObject({
      version: 1,
      duplicate: true,
      events: [{ data: { sum: 5 } }],
    })
  })

  it('is decided once, sent first and recorded later', async () => {
    const test = await start()
    await test.app.send(Add({ n: 5 }, { id: 'x' }))
    await test.app.append({ events: Asked({ n: 5 }) })
    await test.settle()
    expect(await test.app.send(Add({ n: 1 }))).toMatchObject({
      version: 2,
      events: [{ data: { sum: 6 } }],
    })
    expect(await look(test)(({ deadLetters }) => deadLetters.counts())).toMatchObject({ parked: 0 })
  })
})

describe.each(kinds)('a stream that is no name, on $name', ({ make }) => {
  const Open = command('Open', plain<{ id: string }>())
  const Opened = event('Opened', plain<{ folded: number }>())
  const box = aggregate('box', {
    initial: () => 0,
    evolve: (on) => on(Opened, (count) => count + 1),
    decide: (on) => on(Open, (folded) => Opened({ folded })),
    stream: ({ data }) => data.id,
  })
  const wrong = [undefined, 7, '', 'a\u0000b', '\ud800', '\ud801', 'two\nlines', 'x'.repeat(256)]

  it('is refused before anything is read', async () => {
    let reads = 0
    const test = await run(make(), (app) => app.use(box), {
      around: (one) =>
        wrap(one, {
          read: (work) => {
            reads += 1
            return one.read(work)
          },
        }),
    })
    await test.settle()
    reads = 0
    const codes = wrong.map((id) =>
      test.app.send(Open({ id: id as string })).catch(({ code }: { code: string }) => code),
    )
    expect(await Promise.all(codes)).toEqual(wrong.map(() => 'NAME_INVALID'))
    expect(reads).toBe(0)
    expect((await test.app.send(Open({ id: 'Zürich-8001' }))).stream).toBe('box-Zürich-8001')
  })
})
