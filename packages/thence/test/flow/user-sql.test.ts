// The user's own SQL: a statement that the database refuses is the fault of whoever wrote it. It is parked like any
// other failure, and takes nobody along.
import { event, handler, plain, projection, type Tables, tables } from 'thence'
import { describe, expect, it, onTestFinished } from 'vitest'
import { all, kinds, look, onPostgres, run, sqlText } from '../kit/places.ts'

const Joined = event('Joined', plain<{ name: string }>())
const Greeted = event('Greeted', plain<{ name: string }>())

const withSql = kinds.filter(({ sql }) => sql)

const names = {
  create: ['CREATE TABLE IF NOT EXISTS names (name TEXT NOT NULL PRIMARY KEY)'],
  clear: ['DELETE FROM names'],
}

const insert = sqlText('INSERT INTO names VALUES (?1)')

const members = (options: { inline?: boolean; text?: string } = {}) =>
  projection('members', {
    ...(options.inline === true
      ? { inline: true }
      : { key: ({ data }) => (data as { name: string }).name }),
    view: tables(names),
    on: (on) =>
      on(
        Joined,
        async ({ data }, view) => void (await view.run(options.text ?? insert, data.name)),
      ),
  })

type Test = Awaited<ReturnType<typeof run>>

const rows = async (test: Pick<Test, 'app'>): Promise<unknown[]> => {
  const list = await look(test)(({ sql }) => sql.all('SELECT name FROM names ORDER BY name'))
  return list.map(({ name }) => name)
}

const letters = (test: Pick<Test, 'app'>) =>
  look(test)(({ deadLetters }) => deadLetters.list({ limit: 10 }))

const joins = (...list: string[]) => list.map((name) => Joined({ name }))

const unlessBad = (what: string): string =>
  sqlText(`INSERT INTO names SELECT 'x' || CASE WHEN ?1 = 'bad' THEN ${what} ELSE ?1 END`)

/** Each is refused, in a way of its own, for the name `bad` only. */
const refusals = [
  ['breaks a constraint', unlessBad('NULL')],
  ['is an error while it runs', unlessBad(onPostgres ? "('{' || ?1)::json::text" : "json('{')")],
  [
    'has a number too many',
    unlessBad(
      onPostgres
        ? '(9223372036854775807 + length(?1))::text'
        : 'abs(-9223372036854775805 - length(?1))',
    ),
  ],
] as const

/** Fails at once, while something of it goes on. */
const hasty = async (sql: (text: string, name: string) => unknown, name: string) => {
  const more = async (): Promise<void> => {
    for (const n of [1, 2, 3, 4, 5]) await sql(insert, `${name} ${n}`)
  }
  const left = more()
  left.catch(() => undefined)
  if (name === 'bad') await sql('INSERT INTO nowhere VALUES (1)', name)
  await left
}

/** What the process is told of rejections that nobody caught, in place of whoever listens to that. */
const unhandled = (): readonly unknown[] => {
  const told: unknown[] = []
  const others = process.listeners('unhandledRejection')
  const hear = (error: unknown): void => void told.push(error)
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', hear)
  onTestFinished(() => {
    process.off('unhandledRejection', hear)
    for (const other of others) process.on('unhandledRejection', other)
  })
  return told
}

describe.each(withSql)('what goes on of work that has failed, on $name', ({ make }) => {
  it('leaves nothing where a handler ran it', async () => {
    const greeter = handler('greeter', Joined, {
      key: ({ id }) => id,
      run: ({ data }, { within }) =>
        within(({ sql }) => hasty((...asked) => sql.run(...asked), data.name)),
    })
    const test = await run(make(), (app) => app.use(greeter))
    await test.app.database.transact(({ sql }) => sql.run(names.create[0] as string))
    await test.app.append({ events: joins('bad', 'b') })
    await test.settle()
    expect(await letters(test)).toMatchObject([{ errorCode: 'SQL_FAILED' }])
    expect(await rows(test)).toEqual([1, 2, 3, 4, 5].map((n) => `b ${n}`))
  })

  it('leaves nothing where a view ran it', async () => {
    const view = projection('members', {
      key: ({ data }) => (data as { name: string }).name,
      view: tables(names),
      on: (on) => on(Joined, ({ data }, own) => hasty((...asked) => own.run(...asked), data.name)),
    })
    const test = await run(make(), (app) => app.use(view))
    await test.app.append({ events: joins('bad', 'b') })
    await test.settle()
    expect(await letters(test)).toMatchObject([{ errorCode: 'SQL_FAILED' }])
    expect(await rows(test)).toEqual([1, 2, 3, 4, 5].map((n) => `b ${n}`))
  })
})

describe.each(withSql)('a statement that the database refuses on $name', ({ make }) => {
  it.each(refusals)('is parked with its why when it %s, and the others go on', async (_, text) => {
    const test = await run(make(), (app) => app.use(members({ text })))
    await test.app.append({ events: joins('bad', 'a', 'b') })
    await test.settle()
    expect(await letters(test)).toMatchObject([{ key: 'bad', errorCode: 'SQL_FAILED' }])
    expect(await rows(test)).toEqual(['xa', 'xb'])
  })

  it('is parked when a row is there already', async () => {
    const test = await run(make(), (app) => app.use(members()))
    for (const name of ['a', 'a', 'b']) await test.app.append({ events: Joined({ name }) })
    await test.settle()
    const [letter] = await letters(test)
    expect(letter).toMatchObject({ key: 'a', errorCode: 'SQL_FAILED', state: 'parked' })
    expect(letter?.errorMessage).toMatch(
      onPostgres ? /names_pkey/ : /constraint failed: names.name/,
    )
    expect(letter?.attempts).toHaveLength(1)
    expect(await rows(test)).toEqual(['a', 'b'])
    expect(test.spy.signals.map(({ name }) => name)).toEqual(['message-parked'])
  })

  it('fails its own append only, of those that share a commit', async () => {
    const test = await run(make(), (app) => app.use(members({ inline: true })))
    await test.app.append({ events: joins('a') })
    const appends = ['b', 'a', 'c'].map((name) =>
      test.app.append({ stream: name, events: Joined({ name }) }),
    )
    const results = await Promise.allSettled(appends)
    expect(results).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'SQL_FAILED' } },
      { status: 'fulfilled' },
    ])
    expect(await rows(test)).toEqual(['a', 'b', 'c'])
    expect(await all(test.app.log())).toHaveLength(3)
  })

  it('is caught by the view itself, which then goes on', async () => {
    const lenient = projection('members', {
      view: tables(names),
      on: (on) =>
        on(Joined, async ({ data }, view) => {
          await view.run(insert, data.name).catch(() => view.run(insert, `${data.name} again`))
        }),
    })
    const test = await run(make(), (app) => app.use(lenient))
    await test.app.append({ events: joins('a', 'a', 'b') })
    await test.settle()
    expect(await rows(test)).toEqual(['a', 'a again', 'b'])
    expect(test.spy.signals).toEqual([])
  })

  it('is told as unhandled where the view did not await it, and nothing is taken after that', async () => {
    const told = unhandled()
    let left: Tables | undefined
    const forgetful = projection('members', {
      view: tables(names),
      on: (on) =>
        on(Joined, ({ data }, view) => {
          left = view
          for (const n of [1, 2, 3]) void view.run(insert, `${data.name} ${n}`)
          void view.run('INSERT INTO nowhere VALUES (1)')
        }),
    })
    const test = await run(make(), (app) => app.use(forgetful))
    await test.app.append({ events: joins('a') })
    await test.settle()
    // The process tells of an unhandled rejection once its tasks are done.
    await new Promise<void>((resolve) => void setImmediate(resolve))
    expect(told).toMatchObject([{ code: 'SQL_FAILED' }])
    expect(await rows(test)).toEqual(['a 1', 'a 2', 'a 3'])
    await expect(left?.run(insert, 'late')).rejects.toMatchObject({ code: 'STATE_INVALID' })
  })

  it('leaves nothing unhandled where the view fails by something else', async () => {
    const told = unhandled()
    const failing = projection('members', {
      view: tables(names),
      on: (on) =>
        on(Joined, ({ data }, view) => {
          void view.run(insert, data.name)
          void view.run('INSERT INTO nowhere VALUES (1)')
          void view.first('SELECT 1 FROM nowhere')
          throw new Error('It was too loud.')
        }),
      retry: { attempts: 1 },
    })
    const test = await run(make(), (app) => app.use(failing))
    await test.app.append({ events: joins('a') })
    await test.settle()
    await new Promise<void>((resolve) => void setImmediate(resolve))
    expect(told).toEqual([])
    expect(await rows(test)).toEqual([])
  })

  it('is held against its message when a handler runs it, and undoes what it asked for', async () => {
    let runs = 0
    const greeter = handler('greeter', Joined, {
      key: ({ id }) => id,
      run: ({ data }, { append, within }) => {
        runs += 1
        append('greetings', Greeted(data))
        within(async ({ sql }) => void (await sql.run(insert, data.name)))
      },
    })
    const test = await run(make(), (app) => app.use(greeter).messages(Greeted))
    await test.app.database.transact(({ sql }) => sql.run(names.create[0] as string))
    for (const name of ['a', 'a', 'b']) await test.app.append({ events: Joined({ name }) })
    await test.settle()
    expect(runs).toBe(3)
    expect(await letters(test)).toMatchObject([
      { subscription: 'greeter', errorCode: 'SQL_FAILED', message: { version: 2 } },
    ])
    const greetings = await all(test.app.stream('greetings'))
    expect(greetings.map(({ data }) => data)).toEqual([{ name: 'a' }, { name: 'b' }])
    expect(await rows(test)).toEqual(['a', 'b'])
  })
})
