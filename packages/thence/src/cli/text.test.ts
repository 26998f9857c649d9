import { describe, expect, test } from 'vitest'
import { exitCodeOf, usage } from './exit-code.ts'
import { tooOld } from './node-version.ts'
import { columns, table } from './table.ts'
import { Terminal } from './terminal.ts'
import {
  bytes,
  count,
  counted,
  duration,
  json,
  line,
  lines,
  processName,
  quoted,
  rate,
  relative,
  span,
} from './text.ts'
import { ThenceError } from '../errors.ts'

const terminal = new Terminal({ color: false })

describe('a table', () => {
  test('aligns text left and numbers right, and measures what is wide or has no width', () => {
    const rows = [
      ['a', '1', 'x'],
      ['日本', '1,000', 'y'],
      ['e\u0301e', '20', 'z'],
    ]
    expect(table(terminal, columns('NAME', '>NUMBER', 'LAST'), rows)).toEqual([
      'NAME  NUMBER  LAST',
      'a          1  x',
      '日本   1,000  y',
      'e\u0301e        20  z',
    ])
  })

  test('cuts only the column that may be cut', () => {
    const [, cut] = table(terminal, columns('ID', 'DATA…'), [['x'.repeat(150), 'y'.repeat(50)]])
    expect(cut).toBe(`${'x'.repeat(150)}  ${'y'.repeat(19)}…`)
  })

  test('makes one harmless line of every cell', () => {
    const [, row] = table(terminal, columns('A'), [['\u001b[31mred\nFORGED\u202e']])
    expect(row).toBe(' [31mred FORGED')
  })
})

describe('text', () => {
  test('from outside cannot steer a terminal', () => {
    expect(line('a\u001b]0;t\u0007\r\nb\u2028c')).toBe('a ]0;t   b c')
    expect(lines('one\n\ttwo\u001b[1A')).toBe('one\n  two [1A')
  })

  test('as JSON means the same and is safe to print', () => {
    const value = { 'k\u009b': '\u001b[2J\u202e', emoji: '👨\u200d👩', tag: '\u{e0041}' }
    const text = json(value, 2)
    expect(text).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(JSON.parse(text)).toEqual(value)
  })

  test('tells numbers, sizes and times as people read them', () => {
    expect(count(1234567)).toBe('1,234,567')
    expect([counted(1, 'message'), counted(2, 'message')]).toEqual(['1 message', '2 messages'])
    expect([bytes(12), bytes(26_500_000)]).toEqual(['12 B', '26.5 MB'])
    expect([span(0), span(999), span(61_000), span(90_000_000)]).toEqual([
      '0 ms',
      '999 ms',
      '1 min',
      '1 d',
    ])
    expect([relative(0, 500), relative(0, 5000), relative(7_200_000, 0)]).toEqual([
      'now',
      '5 s ago',
      'in 2 h',
    ])
  })

  test('tells measured times and rates as people read them', () => {
    expect([0, 0.34, 9.96, 12.4, 1500, 12_000].map(duration)).toEqual([
      '0 ms',
      '0.3 ms',
      '10 ms',
      '12 ms',
      '1.5 s',
      '12 s',
    ])
    expect([rate(0, 1000), rate(5, 0), rate(3, 2000), rate(123_456, 60_000)]).toEqual([
      '-',
      '-',
      '1.5',
      '2,058',
    ])
    expect(rate(1, 60_000)).toBe('<0.1')
    expect(processName('shop-1/1a2b3c4d.4026531836:42')).toBe('shop-1:42')
    expect(processName('another')).toBe('another')
  })

  test('is quoted as a shell needs it', () => {
    expect([quoted('order-1'), quoted("it's 1")]).toEqual(['order-1', "'it'\\''s 1'"])
  })
})

test('an old node is told which one is needed', () => {
  for (const version of ['20.20.2', '22.4.1', '22.17.9'])
    expect(tooOld(version)).toMatch(new RegExp(`^error: thence needs .* this is Node ${version}`))
  for (const version of ['22.18.0', '24.21.0', '26.0.0']) expect(tooOld(version)).toBeUndefined()
})

test('an exit code tells what kind of error it was', () => {
  const codes = ['STORE_BUSY', 'NOT_FOUND', 'STATE_INVALID', 'ABORTED'] as const
  expect(codes.map((code) => exitCodeOf(new ThenceError(code, '')))).toEqual([5, 3, 1, 130])
  expect([exitCodeOf(usage('')), exitCodeOf(new Error())]).toEqual([2, 1])
})
