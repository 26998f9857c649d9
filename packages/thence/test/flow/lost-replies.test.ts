// A commit whose answer is lost: the same is sent again with the same ids, and whoever cannot be told what became of it
// is told that, and may send the same again.
import { aggregate, command, documents, event, plain, projection, query } from 'thence'
import type { AppBuilder, Database } from 'thence'
import { describe, expect, it } from 'vitest'
import type { When } from '../kit/faults.ts'
import { faulty, unreadable } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { all, file, gate, kinds, run } from '../kit/places.ts'

const Added = event('Added', plain<{ n: number }>())
const Add = command('Add', plain<{ n: number }>())
const Sum = query('Sum', { input: plain<void>(), output: plain<number>() })

const counter = aggregate('counter', {
  initial: () => ({ sum: 0 }),
  evolve: (on) => on(Added, ({ sum }, { data }) => ({ sum: sum + data.n })),
  decide: (on) => on(Add, ({ sum }, { data }) => (sum + data.n > 99 ? [] : Added(data))),
  stream: () => 'one',
})

const sum = projection('sum', {
  view: documents<number>(),
  inline: true,
  on: (on) => on(Added, ({ data }, view) => view.update('all', (before = 0) => before + data.n)),
  answers: (on) => on(Sum, async (_, view) => (await view.get('all')) ?? 0),
})

const plainly = (one: AppBuilder) => one.messages(Added)
const bare = (one: AppBuilder) => one.use(counter)
const withView = (one: AppBuilder) => one.use(counter, sum)

/** Loses answers as long as `when` says so. */
const lossy = async <C extends string, Q extends string>(
  place: Place,
  build: (one: AppBuilder) => AppBuilder<C, Q>,
) => {
  const losing: { when: When | undefined; left: number } = { when: undefined, left: 0 }
  const first = gate()
  const chosen = (): When | undefined => {
    if (losing.left === 0) return undefined
    losing.left -= 1
    first.open()
    return losing.when
  }
  const test = await run(place, build, { around: (one) => faulty(one, chosen).database })
  const lose = (when: When, left: number): void => void Object.assign(losing, { when, left })
  return { ...test, lose, first: first.opened }
}

/** Loses the answer to the next commit, and then fails so many reads of a stream. */
const unread = async (place: Place, build: (one: AppBuilder) => AppBuilder) => {
  const failing = { commits: 0, reads: 0, failed: 0 }
  const chosen = (): When | undefined => {
    if (failing.commits === 0) return undefined
    failing.commits -= 1
    return 'after the commit'
  }
  const fails = (): boolean => {
    if (failing.commits > 0 || failing.failed >= failing.reads) return false
    failing.failed += 1
    return true
  }
  const around = (one: Database): Database => unreadable(faulty(one, chosen).database, fails)
  const test = await run(place, build, { around })
  const fail = (reads: number): void =>
    void Object.assign(failing, { commits: reads > 0 ? 1 : 0, reads, failed: 0 })
  return { ...test, fail, failed: () => failing.failed }
}

/** Does the same again until there is an answer; gives it, and the codes of what was told meanwhile. */
const untilKnown = async <T>(work: () => Promise<T>) => {
  const told: unknown[] = []
  for (;;) {
    try {
      return { result: await work(), told }
    } catch (error) {
      told.push((error as { code?: unknown }).code)
      if (told.length > 99) throw error
    }
  }
}

const lostWays = ['after the commit', 'instead of the commit'] as const

describe.each(kinds)('an answer that is lost on $name', ({ make }) => {
  const builds = [
    ['without views', bare],
    ['with an inline view', withView],
  ] as const
  const ways = lostWays.flatMap((when) =>
    builds.map(([name, build]) => [when, name, build] as const),
  )

  it.each(ways)(
    '%s, %s: the append is written once and is nobody else’s',
    async (when, _, build) => {
      const { app, lose, runtime } = await lossy(make(), build)
      await app.append({ stream: 's', events: Added({ n: 1 }) })
      for (const events of [Added({ n: 2 }), Added({ n: 3 }, { id: 'mine' })]) {
        lose(when, 2)
        const before = (await all(app.log())).length
        const result = await runtime.until(app.append({ stream: 's', events }))
        expect(result).toMatchObject({
          position: before + 1,
          version: before + 1,
          duplicate: false,
        })
        expect(result.events.map(({ data }) => data)).toEqual([events.data])
      }
      expect((await all(app.log())).map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    },
  )

  it.each(lostWays)('%s: what an earlier call wrote stays a duplicate', async (when) => {
    const { app, lose, runtime } = await lossy(make(), bare)
    const events = Added({ n: 1 }, { id: 'mine' })
    const first = await app.append({ stream: 's', events })
    await runtime.advance('1s')
    lose(when, 1)
    const again = await runtime.until(app.append({ stream: 's', events }))
    expect(again).toEqual({ ...first, duplicate: true })
  })

  it.each(lostWays)('%s: each of a batch has its own verdict', async (when) => {
    const { app, lose, runtime } = await lossy(make(), bare)
    await app.append({ stream: 'taken', events: Added({ n: 0 }) })
    lose(when, 1)
    const batch = [
      app.append({ stream: 'a', events: [Added({ n: 1 }), Added({ n: 2 })], expected: 'none' }),
      app.append({ stream: 'taken', events: Added({ n: 3 }), expected: 'none' }),
      app.append({ stream: 'a', events: Added({ n: 4 }), expected: 2 }),
    ]
    const [first, refused, third] = await runtime.until(Promise.allSettled(batch))
    expect(first).toMatchObject({ value: { position: 3, version: 2, duplicate: false } })
    expect(refused).toMatchObject({ reason: { code: 'VERSION_CONFLICT' } })
    expect(third).toMatchObject({ value: { position: 4, version: 3, duplicate: false } })
    expect(await all(app.log())).toHaveLength(4)
  })

  it.each(ways)(
    '%s, %s, for too long: the caller is told, and the same again is safe',
    async (when, _, build) => {
      const { app, lose, runtime } = await lossy(make(), build)
      const events = Added({ n: 7 }, { id: 'mine' })
      lose(when, 100)
      const told = runtime.until(app.append({ stream: 's', events }))
      await expect(told).rejects.toMatchObject({
        code: 'OUTCOME_UNKNOWN',
        retryable: true,
        details: { stream: 's', ids: ['mine'] },
        cause: { code: 'OUTCOME_UNKNOWN' },
        // Looking sooner finds nothing, and then it is committed.
        message: expect.stringContaining('not before a write would have given up its wait'),
      })
      lose(when, 0)
      expect(await app.append({ stream: 's', events })).toMatchObject({
        position: 1,
        duplicate: when === 'after the commit',
      })
      expect(await all(app.log())).toHaveLength(1)
    },
  )

  it.each(ways)(
    '%s, %s: a command with an id is decided once, whichever answers are lost',
    async (when, _, build) => {
      // Six is how often an append is sent: then its caller must do it.
      for (const left of [1, 2, 5, 6, 7, 13]) {
        const { app, lose, runtime } = await lossy(make(), build)
        await app.send(Add({ n: 90 }))
        const add = Add({ n: 5 }, { id: 'mine' })
        lose(when, left)
        const { result, told } = await runtime.until(untilKnown(() => app.send(add)))
        expect(result).toMatchObject({ stream: 'counter-one', version: 2 })
        expect(told.every((code) => code === 'OUTCOME_UNKNOWN')).toBe(true)
        expect(told.length).toBeLessThanOrEqual(Math.floor(left / 6))
        expect(await app.send(add)).toMatchObject({ version: 2, duplicate: true })
        const log = await all(app.log())
        expect(log.map(({ data }) => data)).toEqual([{ n: 90 }, { n: 5 }])
      }
    },
  )

  it.each([1, 5])(
    'reading back fails %d time(s): the caller is given what was appended',
    async (reads) => {
      const { app, fail, failed, runtime } = await unread(make(), plainly)
      fail(reads)
      const result = await runtime.until(app.append({ stream: 's', events: Added({ n: 1 }) }))
      expect(result).toMatchObject({ position: 1, version: 1, duplicate: false })
      expect(result.events.map(({ data }) => data)).toEqual([{ n: 1 }])
      expect(failed()).toBe(reads)
      expect(await all(app.log())).toHaveLength(1)
    },
  )

  it('reading back fails for ever: the outcome is unknown, and the same again is safe', async () => {
    const { app, fail, runtime } = await unread(make(), plainly)
    const events = Added({ n: 7 }, { id: 'mine' })
    fail(Infinity)
    await expect(runtime.until(app.append({ stream: 's', events }))).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { stream: 's', ids: ['mine'] },
      cause: { code: 'STORE_FAILED' },
    })
    fail(0)
    expect(await app.append({ stream: 's', events })).toMatchObject({ position: 1 })
    expect(await all(app.log())).toHaveLength(1)
  })

  it.each([1, Infinity])(
    'reading back fails %d time(s): a whole batch waits no longer than one',
    async (reads) => {
      const { app, fail, failed, runtime } = await unread(make(), plainly)
      await app.append({ stream: 'taken', events: Added({ n: 0 }) })
      const streams = Array.from({ length: 100 }, (_, index) => `s${index}`)
      fail(reads)
      const batch = ['taken', ...streams].map((stream) =>
        app.append({ stream, events: Added({ n: 1 }), expected: 'none' }),
      )
      const [refused, ...others] = await runtime.until(Promise.allSettled(batch))
      expect(refused).toMatchObject({ reason: { code: 'VERSION_CONFLICT' } })
      const told = (stream: string): object =>
        reads === 1
          ? { value: { stream, version: 1, duplicate: false } }
          : { reason: { code: 'OUTCOME_UNKNOWN', details: { stream } } }
      expect(others).toMatchObject(streams.map(told))
      // As often as one append alone would have.
      expect(failed()).toBe(Math.min(reads, 6))
      fail(0)
      expect(await all(app.log())).toHaveLength(101)
    },
  )

  it('changes an inline view once', async () => {
    for (const when of lostWays) {
      const { app, lose, runtime } = await lossy(make(), withView)
      lose(when, 3)
      await runtime.until(app.append({ stream: 's', events: Added({ n: 4 }) }))
      expect(await app.ask(Sum())).toBe(4)
    }
  })
})

it('an answer that is lost is not waited for when the store was closed meanwhile', async () => {
  const { app, lose, first, runtime } = await lossy(file.make(), bare)
  lose('after the commit', 100)
  const told = runtime.until(app.append({ stream: 's', events: Added({ n: 1 }) }))
  const refused = told.catch((error: unknown) => error)
  await first
  lose('after the commit', 0)
  await app.database.close()
  expect(await refused).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
})

it('what was written is not read back when the store was closed meanwhile', async () => {
  const { app, fail, failed, runtime } = await unread(file.make(), plainly)
  fail(1)
  const before = runtime.now()
  const told = app.append({ stream: 's', events: Added({ n: 1 }) }).catch((error: unknown) => error)
  const closing = async (): Promise<unknown> => {
    while (failed() === 0) await new Promise<void>((resolve) => runtime.after(1, resolve))
    await app.database.close()
    return told
  }
  expect(await runtime.until(closing())).toMatchObject({
    code: 'OUTCOME_UNKNOWN',
    cause: { code: 'STORE_CLOSED' },
  })
  // The first wait before it is sent again, the first before it is read again, and none after that.
  expect(runtime.now() - before).toBeLessThanOrEqual(100)
})
