/** Tests of tokens: they come back as they were made, and whatever else comes is told. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tokens } from './token.ts'

const identity = '019b76da-a800-7123-9abc-0123456789ab'
const tokens = new Tokens(identity)
const written = fc.record({
  position: fc.maxSafeNat(),
  count: fc.oneof(fc.nat(9), fc.maxSafeNat()),
})
const refused = { code: 'TOKEN_INVALID', retryable: false }

const refusal = (token: unknown): unknown => {
  try {
    return tokens.read(token)
  } catch (error) {
    return error
  }
}

describe('a token', () => {
  it('comes back as it was made', () => {
    fc.assert(
      fc.property(written, (place) => {
        expect(tokens.read(tokens.make(place))).toEqual(place)
      }),
    )
  })

  it('fits in a header and in a URL as it is', () => {
    fc.assert(
      fc.property(written, (place) => {
        const token = tokens.make(place)
        expect(encodeURIComponent(token)).toBe(token)
        expect(token.length).toBeLessThan(100)
        expect(new Headers({ token }).get('token')).toBe(token)
      }),
    )
  })

  it('that was cut off or changed in one letter is refused', () => {
    const letter = fc.constantFrom(...Array.from('0123456789abcdefghijklmnopqrstuvwxyz.-AZ %'))
    fc.assert(
      fc.property(written, fc.nat(), letter, (place, index, other) => {
        const token = tokens.make(place)
        const at = index % token.length
        const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`
        expect(refusal(token.slice(0, at))).toMatchObject(refused)
        fc.pre(changed !== token)
        expect(refusal(changed)).toMatchObject(refused)
      }),
    )
  })

  it('that is none is refused, whatever it is', () => {
    for (const none of [
      '',
      '.',
      'abc',
      '17',
      '....',
      '1.a.b.c.d',
      'x'.repeat(10_000),
      17,
      null,
      {},
    ])
      expect(refusal(none)).toMatchObject(refused)
    expect(String(refusal('x'.repeat(10_000))).length).toBeLessThan(500)
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(refusal(text)).toMatchObject(refused)
      }),
    )
  })

  it('of another store is refused, and so is one of another version', () => {
    const other = new Tokens('another-store').make({ position: 1, count: 1 })
    expect(refusal(other)).toMatchObject(refused)
    expect(String(refusal(other))).toContain('of another store (another-store; this one is 019b')
    expect(String(refusal('2.whatever.comes'))).toContain('another version')
  })
})
