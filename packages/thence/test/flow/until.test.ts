// Reading what was written, in whatever process: a token goes from the one that wrote to the one that reads, which waits
// until a part has come so far, wherever that part runs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AppBuilder } from 'thence'
import { command, documents, event, handler, plain, projection, query, saga, step } from 'thence'
import { memory, memoryStore } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Place } from '../kit/places.ts'
import { file, gate, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string }>())
const Other = event('Other', plain<null>())
const Count = query('Count', { input: plain<void>(), output: plain<number>() })
const Answer = command('Answer', plain<{ bell: string }>())
const Answered = event('Answered', plain<{ bell: string }>())

const counting = (inline: boolean) =>
  projection('count', {
    view: documents<number>(),
    inline,
    on: (on) => on(Rung, (_, view) => view.update('all', (before = 0) => before + 1)),
    answers: (on) => on(Count, async (_, view) => (await view.get('all')) ?? 0),
  })

interface Ear {
  readonly partitions?: number
  readonly hear?: (bell: string) => Promise<void> | void
}

const ear = ({ partitions = 1, hear = () => undefined }: Ear) =>
  handler('ear', Rung, {
    key: ({ data }) => data.bell,
    partitions,
    retry: { attempts: 3, base: 1000, cap: 1000 },
    run: ({ data }) => hear(data.bell),
  })

const answering = saga('answering', {
  startedBy: Rung,
  key: ({ data }) => data.bell,
  steps: [step('answer', { do: Answer, done: Answered })],
})

const build =
  (hearing: Ear = {}, inline = false) =>
  (app: AppBuilder) =>
    app
      .use(counting(inline), ear(hearing), answering)
      .messages(Other)
      .handle('mouth', Answer, ({ data }, { append }) => append('said', Answered(data)))

const inMemory = (): Place => {
  const store = memoryStore()
  return { runtime: virtualRuntime(), open: () => memory({ store }) }
}

const places = [
  { name: 'memory', make: inMemory },
  { name: 'a file', make: () => file.make() },
]

/** Two apps on one store; the first one runs everything that is not divided. */
const both = async (place: Place, hearing: Ear = {}) => {
  const one = await run(place, build(hearing))
  const two = await run(place, build(hearing))
  await place.runtime.advance('3s')
  const later = async <T>(work: Promise<T>): Promise<{ result: T; took: number }> => {
    const start = place.runtime.elapsed()
    const result = await place.runtime.until(work)
    return { result, took: place.runtime.elapsed() - start }
  }
  return { one, two, later, runtime: place.runtime }
}

describe.each(places)('two processes on $name', ({ make }) => {
  it('ask with the token of the other one, and get what it wrote', async () => {
    const { one, two, later } = await both(make())
    for (let count = 1; count <= 10; count += 1) {
      const [writer, reader] = count % 2 === 0 ? [one, two] : [two, one]
      const { token } = await writer.app.append({ events: Rung({ bell: 'a' }) })
      const { result, took } = await later(reader.app.ask(Count(), { after: token }))
      expect(result).toBe(count)
      expect(took).toBeLessThanOrEqual(200)
    }
  })

  it('do not wait for what is of no concern to a projection', async () => {
    const { one, two, later } = await both(make())
    const { token } = await one.app.append({ events: Array.from({ length: 9 }, () => Other(null)) })
    for (const { app } of [one, two])
      expect(await later(app.ask(Count(), { after: token }))).toEqual({ result: 0, took: 0 })
  })

  it('wait until a handler is done, wherever it runs', async () => {
    const door = gate()
    const hearing = { hear: () => door.opened }
    const { one, two, later, runtime } = await both(make(), hearing)
    const { token, position } = await two.app.append({ events: Rung({ bell: 'a' }) })
    let done = 0
    const waiting = [one, two].flatMap(({ app }) =>
      [token, position].map((after) =>
        app.until(after, { handler: 'ear' }).then(() => (done += 1)),
      ),
    )
    await runtime.advance('1s')
    expect(done).toBe(0)
    door.open()
    const { took } = await later(Promise.all(waiting))
    expect(done).toBe(4)
    expect(took).toBeLessThanOrEqual(200)
  })

  it('wait for a handler that is divided between them, and for no more than it has to do', async () => {
    const hearing = { partitions: 8 }
    const { one, two, later } = await both(make(), hearing)
    for (const [n, bell] of 'abcdefghij'.split('').entries()) {
      const writer = n % 2 === 0 ? one : two
      const { token } = await writer.app.append({ events: Rung({ bell }) })
      const all = Promise.all([one, two].map(({ app }) => app.until(token, { handler: 'ear' })))
      expect((await later(all)).took).toBeLessThanOrEqual(200)
    }
  })

  it('wait for a saga', async () => {
    const { one, two, later } = await both(make())
    const { token } = await two.app.append({ events: Rung({ bell: 'a' }) })
    expect((await later(two.app.until(token, { saga: 'answering' }))).took).toBeLessThanOrEqual(200)
    await later(one.app.until(token, { saga: 'answering' }))
  })

  it('wait for a message that failed until it went through, and for no other that fails', async () => {
    let failures = 2
    const hear = (bell: string): void => {
      if (bell === 'broken') throw new Error('for ever')
      if (bell === 'clumsy' && (failures -= 1) >= 0) throw new Error('not yet')
    }
    const { one, two, later } = await both(make(), { hear })
    const append = async (bell: string) => (await one.app.append({ events: Rung({ bell }) })).token
    const broken = await append('broken')
    const clumsy = await append('clumsy')
    const sound = await append('sound')
    const heard = (token: string) =>
      Promise.all([one, two].map(({ app }) => app.until(token, { handler: 'ear' })))
    expect((await later(heard(sound))).took).toBeLessThanOrEqual(200)
    expect(failures).toBeGreaterThanOrEqual(0)
    await later(heard(clumsy))
    expect(failures).toBeLessThan(0)
    const never = two.app.until(broken, { handler: 'ear', timeout: '20s' })
    await expect(later(never)).rejects.toMatchObject({
      code: 'POSITION_TIMEOUT',
      retryable: true,
      message: expect.stringMatching(/The message at position 1 failed and is parked; see: thence/),
      details: { subscription: 'ear', target: 1, lag: 0 },
    })
  })
})

describe.each(places)('waiting on $name', ({ make }) => {
  it('tells why it takes so long', async () => {
    const door = gate()
    const place = make()
    const one = await run(place, build({ hear: () => door.opened }))
    const { token } = await one.app.append({ events: Rung({ bell: 'a' }) })
    const told = async (): Promise<string> => {
      const late = one.app.until(token, { handler: 'ear', timeout: 300 })
      return place.runtime.until(late).then(
        () => 'nothing',
        (error: Error) => error.message,
      )
    }
    expect(await told()).toMatch(
      /^until ear: ear is at position 0 and did not come to 1 within 300 ms \(1 behind; the log ends at \d\)\. Wait longer/,
    )
    await one.app.pause('ear', { reason: 'tea' })
    expect(await told()).toMatch(/It is paused; go on with: thence subscriptions resume ear/)
    await one.app.resume('ear')
    door.open()
    await place.runtime.until(one.app.until(token, { handler: 'ear' }))
  })

  it('is over when the caller gives up, or the app stops', async () => {
    const place = make()
    const one = await run(place, build({ hear: () => gate().opened }))
    const { token } = await one.app.append({ events: Rung({ bell: 'a' }) })
    const caller = new AbortController()
    const given = one.app.until(token, { handler: 'ear', signal: caller.signal })
    caller.abort(new Error('enough'))
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
    const early = one.app.until(token, { handler: 'ear', signal: AbortSignal.abort() })
    await expect(early).rejects.toMatchObject({ code: 'ABORTED' })
    const stopped = one.app.until(token, { handler: 'ear', timeout: '1h' })
    const code = stopped.catch((error: { code: string }) => error.code)
    const start = place.runtime.elapsed()
    await place.runtime.until(one.app.stop({ deadline: '1s' }))
    expect(await code).toBe('APP_STOPPED')
    expect(place.runtime.elapsed() - start).toBeLessThanOrEqual(1100)
  })

  it('needs a part that the app has, and a position that is one', async () => {
    const one = await run(make(), build())
    const { token } = await one.app.append({ events: Rung({ bell: 'a' }) })
    const refused = async (waits: Promise<unknown>, code: string): Promise<void> =>
      expect(waits).rejects.toMatchObject({ code })
    await refused(one.app.until(token, { handler: 'nose' }), 'NOT_FOUND')
    await refused(one.app.until(token, { projection: 'ear' }), 'NOT_FOUND')
    await refused(one.app.until(token, {} as { handler: string }), 'CONFIG_INVALID')
    for (const after of [-1, 0.5, Number.NaN, {} as number]) {
      await refused(one.app.until(after, { handler: 'ear' }), 'CONFIG_INVALID')
      await refused(one.app.ask(Count(), { after }), 'CONFIG_INVALID')
    }
    await refused(one.app.until(token, { handler: 'ear', timeout: -1 }), 'CONFIG_INVALID')
  })

  it('knows an inline projection to be there', async () => {
    const one = await run(make(), build({}, true))
    const { token } = await one.app.append({ events: Rung({ bell: 'a' }) })
    await one.app.until(token, { projection: 'count' })
    expect(await one.app.ask(Count(), { after: token })).toBe(1)
  })
})

/** A store in a file, and the store that its copy will be. */
const files = () => {
  const directory = mkdtempSync(join(tmpdir(), 'thence-flow-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'store.db')
  const runtime = virtualRuntime()
  const at = (name: string): Place => ({
    runtime,
    open: () => sqlite({ database: new DatabaseSync(name), synchronous: 'off' }),
  })
  return { path, store: at(path), backup: at(`${path}.copy`) }
}

describe('a token', () => {
  it.each([false, true])('of another store is refused at once (inline: %s)', async (inline) => {
    // Another seed, and so another identity.
    const [one, two] = [
      await run(file.make(1), build({}, inline)),
      await run(file.make(2), build()),
    ]
    await one.app.append({ events: [Rung({ bell: 'a' }), Rung({ bell: 'b' })] })
    const { token } = await two.app.append({ events: Rung({ bell: 'a' }) })
    for (const wrong of [token, `${token}x`, token.slice(0, -1), 'Bearer abc', '']) {
      const asked = one.app.ask(Count(), { after: wrong })
      await expect(asked).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
      const waited = one.app.until(wrong, { projection: 'count' })
      await expect(waited).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    }
  })

  it.each([false, true])(
    'that is ahead of a store restored from a copy is refused at once (inline: %s)',
    async (inline) => {
      const { store, backup, path } = files()
      const one = await run(store, build({}, inline))
      const early = (await one.app.append({ events: Rung({ bell: 'a' }) })).token
      await store.runtime.until(one.app.whenIdle())
      const connection = new DatabaseSync(path)
      connection.exec(`VACUUM INTO '${path}.copy'`)
      connection.close()
      const late = (await one.app.append({ events: Rung({ bell: 'a' }) })).token
      await one.stop()
      const two = await run(backup, build({}, inline))
      expect(await two.app.ask(Count(), { after: early })).toBe(1)
      const refused = { code: 'TOKEN_INVALID', message: expect.stringContaining('restored') }
      await expect(two.app.ask(Count(), { after: late })).rejects.toMatchObject(refused)
      const waited = two.app.until(late, { projection: 'count' })
      await expect(waited).rejects.toMatchObject(refused)
    },
  )

  it('of an append that was sent again stands for the first one', async () => {
    const one = await run(inMemory(), build())
    const events = Rung({ bell: 'a' }, { id: 'mine' })
    const first = await one.app.append({ events })
    await one.app.append({ events: Rung({ bell: 'b' }) })
    expect(await one.app.append({ events })).toEqual({ ...first, duplicate: true })
  })
})
