/** What is wrong with a pattern or a zone is said in our own words: which field, what it may be, an example. */
import { expect, test } from 'vitest'
import { CronSlots } from './cron.ts'

const told = (cron: unknown, zone: unknown = 'UTC'): string => {
  try {
    void new CronSlots('schedule night', { cron: cron as string, zone: zone as string })
    return ''
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return error instanceof Error ? error.message : ''
  }
}

test.each([
  ['60 0 2 * * *', 'second is "60"; it takes 0 to 59'],
  ['61 * * * *', 'minute is "61"; it takes 0 to 59'],
  ['*/0 * * * *', 'minute is "*/0"'],
  ['0 25 * * *', 'hour is "25"; it takes 0 to 23'],
  ['5-1 * * * *', 'minute is "5-1"'],
  ['0 2 32 * *', 'day of the month is "32"; it takes 1 to 31, L (the last) or 15W'],
  ['0 2 * FOO *', 'month is "FOO"; it takes 1 to 12 or JAN to DEC'],
  ['0 2 * * MONDAY', 'day of the week is "MONDAY"; it takes 0 to 7'],
])('%s: the %s', (cron, words) => {
  expect(told(cron)).toContain(`cron of schedule night is ${JSON.stringify(cron)}: its ${words}`)
  expect(told(cron)).toContain('for example ')
})

test.each([
  ['', 'it has 0 fields'],
  ['often', 'it has 1 field;'],
  ['0 2 * *', 'it has 4 fields; give five'],
  ['* * * * * * 2030', 'it has 7 fields'],
  ['2026-01-01T00:00:00', 'it has 1 field;'],
  ['@dayly', 'Did you mean @daily?'],
  ['@reboot', 'There are @hourly'],
  ['0 2 30 2 *', 'it names no moment after 2026-01-01T00:00:00.000Z'],
  [5, 'cron of schedule night is 5: give a text'],
  [null, 'cron of schedule night is null: give a text'],
])('%j: %s', (cron, words) => {
  expect(told(cron)).toContain(words)
})

test.each([
  ['Europe/Berln', 'zone of schedule night is "Europe/Berln"', 'Did you mean Europe/Berlin'],
  ['', 'zone of schedule night is ""', 'such as Europe/Berlin or UTC'],
  ['UTC+2', 'zone of schedule night is "UTC+2"', 'such as Europe/Berlin or UTC'],
  [null, 'zone of schedule night is null', 'such as Europe/Berlin or UTC'],
])('zone %j is refused', (zone, what, advice) => {
  expect(told('0 2 * * *', zone)).toContain(what)
  expect(told('0 2 * * *', zone)).toContain(advice)
})

test('nothing is quoted from the library that reads patterns', () => {
  for (const cron of ['61 * * * *', '5-1 * * * *', '0 2 * * MON#9', '0 2 1W-5 * *', '@reboot'])
    expect(told(cron)).not.toContain('CronPattern')
})
