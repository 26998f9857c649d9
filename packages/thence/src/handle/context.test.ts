/** Tests of what a handler may ask for, and until when. */
import { expect, test } from 'vitest'
import { command, event } from '../message/define.ts'
import { plain } from '../message/schema.ts'
import { collecting } from './context.ts'

const Rung = event('Rung', plain<number>())
const Ring = command('Ring', plain<number>())
const { signal } = new AbortController()
const within = (): void => undefined
const given = { idempotencyKey: 'ear:7', replaying: false }

test('what is asked for is collected in order', () => {
  const { context, close } = collecting(signal, given)
  // Its functions need no `this`.
  const { append, send } = context
  append('bells', Rung(1), Rung(2))
  send(Ring(3))
  context.later({ in: '1s' }, Ring(4), Ring(5))
  context.within(within)
  expect(context.signal).toBe(signal)
  expect(context.idempotencyKey).toBe('ear:7')
  expect(close()).toEqual([
    { stream: 'bells', messages: [Rung(1), Rung(2)] },
    { commands: [Ring(3)] },
    { commands: [Ring(4), Ring(5)], due: { in: 1000 } },
    { within },
  ])
})

test('after its end nothing can be asked for, and what was asked for stays as it was', () => {
  const { context, close } = collecting(signal, given)
  context.send(Ring(1))
  const effects = close()
  for (const ask of [
    () => context.append('bells', Rung(2)),
    () => context.send(Ring(2)),
    () => context.later({ at: 0 }, Ring(2)),
    () => context.within(within),
  ])
    expect(ask).toThrow(expect.objectContaining({ code: 'STATE_INVALID' }))
  expect(effects).toEqual([{ commands: [Ring(1)] }])
  expect(close()).toBe(effects)
})

test('a stream that has no name is refused when it is asked for', () => {
  const { context, close } = collecting(signal, given)
  expect(() => context.append('', Rung(1))).toThrow(
    expect.objectContaining({ code: 'NAME_INVALID' }),
  )
  expect(close()).toEqual([])
})

test('a time that is none, and what is no command, are refused when they are asked for', () => {
  const { context, close } = collecting(signal, given)
  const refused = expect.objectContaining({ code: 'CONFIG_INVALID' })
  expect(() => context.later({ at: 'soon' }, Ring(1))).toThrow(refused)
  expect(() => context.later({ in: '1s' }, Rung(1) as never)).toThrow(refused)
  expect(close()).toEqual([])
})

test('what is not to be repeated is left out of a replay, and runs as it is otherwise', async () => {
  for (const replaying of [false, true]) {
    const { context, close } = collecting(signal, { ...given, replaying })
    const { skipOnReplay } = context
    expect(context.replaying).toBe(replaying)
    expect(skipOnReplay(() => 7)).toBe(replaying ? undefined : 7)
    expect(await skipOnReplay(async () => 8)).toBe(replaying ? undefined : 8)
    skipOnReplay(() => context.send(Ring(1)))
    context.send(Ring(2))
    expect(close().length).toBe(replaying ? 1 : 2)
  }
})
