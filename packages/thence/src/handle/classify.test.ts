/** Tests of what kind of failure an error stands for. */
import { AssertionError } from 'node:assert'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ThenceError } from '../errors.ts'
import type { Classify } from './classify.ts'
import { classify } from './classify.ts'

const kinds = ['transient', 'permanent', 'bug']
class Mine extends TypeError {
  override readonly name = 'Mine'
}
const network = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code }) })

test.each([
  ['an error', new Error('no answer'), 'transient'],
  ['a thrown text', 'no answer', 'transient'],
  ['nothing', undefined, 'transient'],
  ['an aborted call', new DOMException('late', 'TimeoutError'), 'transient'],
  ['a time that is up', new ThenceError('TIMEOUT', 'late'), 'transient'],
  ['data that does not fit', new ThenceError('SCHEMA_INVALID', 'no'), 'permanent'],
  ['what says so itself', Object.assign(new Error('no'), { retryable: false }), 'permanent'],
  [
    'a bug that says otherwise',
    Object.assign(new TypeError('x'), { retryable: true }),
    'transient',
  ],
  ['a TypeError', new TypeError('x is not a function'), 'bug'],
  ['a class of its own that is one', new Mine('x'), 'bug'],
  ['a ReferenceError', new ReferenceError('x'), 'bug'],
  ['a SyntaxError', new SyntaxError('x'), 'bug'],
  ['a RangeError', new RangeError('x'), 'bug'],
  ['a failed assertion', new AssertionError({ message: 'x' }), 'bug'],
  ['a TypeError of another realm', runInNewContext('new TypeError("x")'), 'bug'],
  ['fetch without a network', network('ECONNREFUSED'), 'transient'],
  ['fetch whose connection broke', network('UND_ERR_SOCKET'), 'transient'],
  ['fetch of what is no URL', network('ERR_INVALID_URL'), 'bug'],
] as const)('%s', (_, error: unknown, kind) => {
  expect(classify(error)).toBe(kind)
})

test('the first rule that has a view decides, then the next, then the default', () => {
  const own: Classify = (error) => (error === 1 ? 'permanent' : undefined)
  const common: Classify = (error) => (typeof error === 'number' ? 'bug' : undefined)
  expect([1, 2, 'x'].map((error) => classify(error, own, undefined, common))).toEqual([
    'permanent',
    'bug',
    'transient',
  ])
})

test('a rule that throws, or says what is no kind, has no view', () => {
  const broken: Classify = () => {
    throw new Error('the rule itself')
  }
  const odd: Classify = () => 'maybe' as 'bug'
  expect(classify(new TypeError('x'), broken, odd)).toBe('bug')
})

test('it never throws, whatever it looks at', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const silent = new Proxy(new TypeError('x'), {
    get: () => {
      throw new Error('Do not look.')
    },
  })
  expect([classify(proxy), classify(silent)]).toEqual(['transient', 'transient'])
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
      expect(kinds).toContain(classify(thrown))
    }),
  )
})
