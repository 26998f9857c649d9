/** Tests of log lines: at which level, and that nobody's data can forge one. */
import { expect, test } from 'vitest'
import type { Logger, LogLevel } from './log.ts'
import { logTo } from './log.ts'
import type { NotableSignal } from './signals.ts'

const message = { subscription: 'mail', partition: 0, key: 'k', type: 'T', id: 'i', position: 7 }
const failure = { ...message, attempts: 2, kind: 'bug', error: new Error('no') } as const
const timer = { id: 't', owner: 'o', attempts: 3, error: new Error('no') }
const lease = { subscription: 'mail', partition: 3, epoch: 1 }
const signals: readonly NotableSignal[] = [
  { name: 'message-parked', ...failure, waits: true },
  { name: 'message-skipped', ...failure },
  { name: 'message-failed', ...failure, retryIn: 100, error: 'no' },
  { name: 'subscription-failed', subscription: 'mail', retryIn: 5, error: new Error('disk') },
  { name: 'store-failing', failures: 1, lasted: 0, error: new Error('disk') },
  { name: 'store-failing', failures: 30, lasted: 60_010, error: new Error('disk') },
  { name: 'snapshot-failed', stream: 'a-1', error: new Error('no') },
  { name: 'timer-parked', ...timer },
  { name: 'timer-failed', ...timer, retryIn: 100 },
  { name: 'lease-lost', ...lease },
  { name: 'message-resolved', ...message },
  { name: 'subscription-recovered', subscription: 'mail', failures: 2 },
  { name: 'store-recovered', failures: 31, lasted: 61_240 },
  { name: 'rebuild-started', subscription: 'view', through: 9 },
  { name: 'rebuild-finished', subscription: 'view', through: 9 },
  { name: 'lease-taken', ...lease },
  { name: 'lease-released', ...lease },
]

const written = (level?: LogLevel, told = signals): string[] => {
  const lines: string[] = []
  const at = (name: LogLevel) => (text: string) => void lines.push(`${name} ${text}`)
  const logger: Logger = {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
  }
  const listener = logTo(logger, level)
  for (const signal of told) listener(signal)
  return lines
}

test('what was given up is an error, what is tried again a warning, the rest is information', () => {
  expect(written()).toEqual([
    'error thence: mail: T at position 7 parked after 2 attempts (bug); key "k" waits. Error: no',
    'error thence: mail: T at position 7 passed over after 2 attempts (bug). Error: no',
    'warn thence: mail: T at position 7 failed (attempt 2), again in 100 ms. no',
    'warn thence: the store failed, and is tried again. Error: disk',
    'warn thence: the store has failed for 60 s, 30 times, and is tried again. Error: disk',
    'warn thence: snapshot of a-1 not written. Error: no',
    'error thence: timer t could not be fired in 3 attempts; it is kept until someone fires or cancels it. Error: no',
    'warn thence: timer t could not be fired (attempt 3), again in 100 ms. Error: no',
    'warn thence: mail: another process took over partition 3; nothing in hand was committed',
    'info thence: mail: T at position 7 went through after all',
    'info thence: the store works again after 61.2 s and 31 failures',
    'info thence: view: rebuilding up to position 9',
    'info thence: view: rebuilt up to position 9',
  ])
})

test('a level tells that and what is graver', () => {
  const counts = (['error', 'warn', 'info', 'debug'] as const).map((level) => written(level).length)
  expect(counts).toEqual([3, 9, 13, 17])
})

test('a level that there is not is refused', () => {
  expect(() => written('loud' as LogLevel)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test('a logger without debug tells the rest', () => {
  const lines: string[] = []
  const at = (text: string): void => void lines.push(text)
  const listener = logTo({ error: at, warn: at, info: at }, 'debug')
  for (const signal of signals) listener(signal)
  expect(lines).toHaveLength(13)
})

test('message data can neither break a line nor move a cursor', () => {
  const hostile = 'x\r\nthence: forged\u001b[2J\u2028'
  const [line = ''] = written('info', [
    {
      name: 'message-parked',
      ...failure,
      waits: true,
      key: hostile,
      type: hostile,
      error: new Error(hostile),
    },
  ])
  expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
})
