// Mistakes in how an app is put together: each is told with what was given and what to write instead.
import { DatabaseSync } from 'node:sqlite'
import { app, command, event, handler, plain, schedule } from 'thence'
import { memory } from 'thence/memory'
import { expect, test } from 'vitest'

const Lend = command('Lend', plain<{ id: string }>())
const Lent = event('Lent', plain<{ id: string }>())

/** Calls as a program without types would. */
const loosely = (call: (...parameters: never[]) => unknown, ...parameters: unknown[]): unknown =>
  Reflect.apply(call, undefined, parameters)

const saying = (call: () => unknown, words: string): void =>
  expect(call).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
  )

test('a connection instead of the adapter is told how to give it', () => {
  const database = new DatabaseSync(':memory:')
  saying(() => loosely(app, { database }), 'sqlite({ database: new DatabaseSync(path) })')
  saying(() => loosely(app, {}), 'two files may import each other')
  saying(() => loosely(app, { database: 'shop.db' }), '"shop.db"')
})

test('what is no part of an app is refused where it is used', () => {
  const builder = app({ database: memory() })
  const use = (...parts: unknown[]): unknown =>
    Reflect.apply(Reflect.get(builder, 'use'), builder, parts)
  saying(() => use(undefined), 'two files may import each other')
  saying(() => use({}), 'this is an object')
  saying(
    () => use([schedule('s', { cron: '@daily', send: () => Lend({ id: '1' }) })]),
    'one by one',
  )
  saying(() => use(Lent), 'the function')
  const messages = (...all: unknown[]): unknown =>
    Reflect.apply(Reflect.get(builder, 'messages'), builder, all)
  saying(() => messages(undefined), 'two files may import each other')
})

test('a signal that there is not is not listened to in silence', async () => {
  const running = await app({ database: memory(), logger: false }).start()
  const listen = (...parameters: unknown[]): unknown =>
    Reflect.apply(Reflect.get(running, 'listen'), running, parameters)
  saying(() => listen(['message-handeld'], () => undefined), 'Did you mean message-handled')
  saying(() => listen(['message-handled']), 'The listener must be a function')
  saying(() => listen('message-handled', () => undefined), 'must be a list')
  await running.stop()
})

test('a schedule that can write no command is named at the start, with why', async () => {
  const cause = new Error('no template')
  const night = schedule('night', {
    cron: '0 2 * * *',
    send: () => {
      throw cause
    },
  })
  const starting = app({ database: memory(), logger: false })
    .use(
      night,
      handler('clerk', Lend, () => undefined),
    )
    .start()
  await expect(starting).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/Schedule night .*T02:00:00.* no template/),
    cause,
  })
})
