/** Tests of definitions, of the command of a slot, and of moments as a zone shows them. */
import { expect, test } from 'vitest'
import { command, event } from '../message/define.ts'
import { plain } from '../message/schema.ts'
import { localTime } from './local-time.ts'
import type { ScheduleOptions } from './schedule.ts'
import { commandOf, schedule } from './schedule.ts'

const Make = command('Make', plain<string>())
const Made = event('Made', plain<string>())
const options: ScheduleOptions = { cron: '0 2 * * *', send: ({ local }) => Make(local) }

test('a schedule is in UTC and catches up with the latest slot unless told otherwise', () => {
  expect(schedule('nightly', options)).toMatchObject({ zone: 'UTC', catchUp: 'latest' })
})

test.each([
  ['no name', '', {}, 'NAME_INVALID'],
  ['a name of its own for Thence', '$x', {}, 'NAME_INVALID'],
  ['a name that leaves no room for the slot', 'x'.repeat(201), {}, 'NAME_INVALID'],
  ['no pattern', 'x', { cron: 'now' }, 'CONFIG_INVALID'],
  ['no zone', 'x', { zone: 'Moon' }, 'CONFIG_INVALID'],
  ['no way to catch up', 'x', { catchUp: 'some' as 'all' }, 'CONFIG_INVALID'],
  ['nothing to send', 'x', { send: Make('x') as never }, 'CONFIG_INVALID'],
] as const)('%s is refused', (...[, name, change, code]) => {
  expect(() => schedule(name, { ...options, ...change })).toThrow(expect.objectContaining({ code }))
})

test('the command of a slot has an id that is made from the slot, and the local time', () => {
  const one = schedule('nightly', { ...options, zone: 'Europe/Berlin' })
  const time = Date.UTC(2026, 2, 29, 1)
  expect(commandOf(one, { time, manual: false }, 'suffix')).toMatchObject({
    type: 'Make',
    data: '2026-03-29T03:00:00+02:00',
    id: 'nightly@suffix',
  })
})

test.each([
  ['an event', () => Made('x')],
  ['a promise', async () => Make('x')],
  ['nothing', () => undefined],
  ['an id', () => Make('x', { id: 'mine' })],
])('%s is no command of a slot', (_, send) => {
  const one = schedule('nightly', { ...options, send: send as never })
  expect(() => commandOf(one, { time: 0, manual: false }, 's')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test.each([
  ['UTC', '2026-03-29T01:00:00+00:00'],
  ['Asia/Kathmandu', '2026-03-29T06:45:00+05:45'],
  ['America/St_Johns', '2026-03-28T22:30:00-02:30'],
])('in %s it is %s', (zone, text) => {
  expect(localTime(Date.UTC(2026, 2, 29, 1), zone)).toBe(text)
})
