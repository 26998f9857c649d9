// Calls of the app from inside its own transactions: whoever makes one is told at once, and nobody else is harmed.
import type { App } from 'thence'
import { aggregate, command, documents, event, plain, projection, query } from 'thence'
import { describe, expect, it } from 'vitest'
import { gate, kinds, look, run } from '../kit/places.ts'

const Paid = event('Paid', plain<null>())
const Noted = event('Noted', plain<null>())
const Note = command('Note', plain<null>())
const Sum = query('Sum', { input: plain<null>(), output: plain<number>() })

const Ring = command('Ring', plain<{ id: string }>())
const Rang = event('Rang', plain<{ id: string }>())
const bell = aggregate('bell', {
  initial: () => 0,
  evolve: (on) => on(Rang, (count) => count + 1),
  decide: (on) => on(Ring, (_, { data }) => Rang(data)),
  stream: ({ data: { id } }) => id,
})

type Calls = (app: App) => Promise<unknown>

const calls: readonly (readonly [string, Calls])[] = [
  ['append', (app) => app.append({ events: Noted(null) })],
  ['send', (app) => app.send(Note(null))],
  ['ask', (app) => app.ask(Sum(null), { after: 1000 })],
]

describe.each(kinds)('inside a transaction on $name', ({ make }) => {
  it.each(calls)('%s is refused at once, and the message counts as failed', async (_, call) => {
    const later: { app?: App } = {}
    const view = projection('view', {
      retry: { attempts: 1 },
      view: documents(),
      on: (on) =>
        on(Paid, async () => {
          // Not in the turn in which the transaction began.
          await new Promise<void>((resolve) => void setImmediate(resolve))
          await call(later.app as App)
        }),
      answers: (on) => on(Sum, () => 0),
    })
    const test = await run(make(), (app) => app.use(view).handle('notes', Note, () => undefined))
    later.app = test.app
    const before = test.runtime.now()
    await test.app.append({ events: Paid(null) })
    await test.settle()
    const letters = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 9 }))
    expect(letters).toMatchObject([{ errorCode: 'TRANSACTION_NESTED' }])
    expect(test.runtime.now()).toBeLessThan(before + 1000)
  })

  it('an append that nobody waits for harms none of those that share its commit', async () => {
    const later: { app?: App } = {}
    const begun = gate()
    const others = gate()
    let refused: unknown
    const view = projection('view', {
      view: documents(),
      on: (on) =>
        on(Paid, async () => {
          refused ??= later.app?.append({ events: Noted(null) }).catch((error: unknown) => error)
          begun.open()
          await others.opened
        }),
    })
    const test = await run(make(), (app) => app.use(view).messages(Noted))
    later.app = test.app
    await test.app.append({ events: Paid(null) })
    await begun.opened
    const innocent = [1, 2, 3].map(() => test.app.append({ events: Noted(null) }))
    await test.runtime.rest()
    others.open()
    expect(await Promise.all(innocent)).toHaveLength(3)
    expect(await refused).toMatchObject({ code: 'TRANSACTION_NESTED' })
    await test.settle()
  })

  it('a send that nobody waits for harms none of those that load at the same time', async () => {
    const later: { app?: App } = {}
    const begun = gate()
    const others = gate()
    let refused: unknown
    const view = projection('view', {
      view: documents(),
      on: (on) =>
        on(Paid, async () => {
          refused ??= later.app?.send(Ring({ id: 'inside' })).catch((error: unknown) => error)
          begun.open()
          await others.opened
        }),
    })
    const test = await run(make(), (app) => app.use(view, bell))
    later.app = test.app
    // Goes on in the same turn as the one inside.
    const innocent = begun.opened.then(() => test.app.send(Ring({ id: 'outside' })))
    await test.app.append({ events: Paid(null) })
    await begun.opened
    await test.runtime.rest()
    others.open()
    expect(await innocent).toMatchObject({ stream: 'bell-outside', version: 1 })
    expect(await refused).toMatchObject({ code: 'TRANSACTION_NESTED' })
    await test.settle()
  })

  it('a batch that was begun by a caller does not run inside of what that caller does', async () => {
    const later: { app?: App } = {}
    const forgotten: Promise<unknown>[] = []
    const over = gate()
    const view = projection('view', {
      view: documents(),
      on: (on) =>
        on(Paid, () => {
          // It outlives the transaction: by then it is outside.
          forgotten.push(
            over.opened.then(() => later.app?.append({ stream: 'later', events: Noted(null) })),
          )
        }),
    })
    const test = await run(make(), (app) => app.use(view).messages(Noted))
    later.app = test.app
    await test.app.append({ events: Paid(null) })
    await test.settle()
    over.open()
    expect(await Promise.all(forgotten)).toMatchObject([{ stream: 'later', version: 1 }])
  })
})
