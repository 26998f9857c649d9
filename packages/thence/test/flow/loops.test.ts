// A loop of a subscription never ends by a failure: what fails while it looks where it stands is told, and it goes on.
import type { Database } from 'thence'
import { event, handler, plain, ThenceError } from 'thence'
import { describe, expect, it, onTestFinished } from 'vitest'
import { kinds, run, wrap } from '../kit/places.ts'

const Rung = event('Rung', plain<{ readonly n: number }>())

describe.each(kinds)('a retry that finds its checkpoint moved on $name', ({ make }) => {
  it('goes on when the look at where it is now fails too', async () => {
    const lost: unknown[] = []
    const lose = (error: unknown): void => void lost.push(error)
    process.on('unhandledRejection', lose)
    onTestFinished(() => void process.off('unhandledRejection', lose))

    const state = { broken: true, moved: false, failing: 0 }
    const around = (database: Database): Database =>
      wrap(database, {
        async transact(work, ...rest) {
          if (!state.moved) return database.transact(work, ...rest)
          state.moved = false
          state.failing = 3
          throw new ThenceError('CHECKPOINT_MOVED', 'Someone else was first.')
        },
        async read(work) {
          if (state.failing === 0) return database.read(work)
          state.failing -= 1
          throw new ThenceError('STORE_BUSY', 'The store is busy.')
        },
      })
    const ear = handler('ear', Rung, {
      retry: { base: 1000, cap: 1000, attempts: 5 },
      run: () => {
        if (!state.broken) return
        state.broken = false
        throw new Error('It was too loud.')
      },
    })
    const test = await run(make(), (app) => app.use(ear), { around })
    const failed = test.spy.signal('message-failed')
    await test.app.append({ events: Rung({ n: 1 }) })
    await failed
    // The next transaction is that of the retry.
    state.moved = true
    await test.settle()
    const told = test.spy.signals.map(({ name }) => name)
    expect(told).toContain('subscription-failed')
    expect(told).toContain('subscription-recovered')
    expect(test.spy.signals.filter(({ name }) => name === 'message-parked')).toEqual([])
    await test.stop()
    expect(lost).toEqual([])
  })
})
