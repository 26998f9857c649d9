// A regular expression that matches anything is refused, wherever it stands in the object; what was meant is not.
import { expect, test } from 'vitest'
import { problems } from './patterns.ts'

test.each([
  "await expect(work()).rejects.toMatchObject({ code: 'STORE_BUSY', message: /holds it/ })",
  'expect(one).toMatchObject({ details: { holder: { application: /^a\\/b$/u } } })',
  'expect(all).toMatchObject([{ text: "it\'s" }, /second/])',
  'expect(all).toMatchObject([/first/])',
  'expect(one).toMatchObject({ a: f(1), // not /this/\n b: /that/ })',
])('%s is refused', (text) => {
  expect(problems(text)).toHaveLength(1)
})

test.each([
  "expect(one).toMatchObject({ message: expect.stringMatching(/holds it/), half: one / 2, of: '/a/' })",
  'expect(one).toMatchObject({ a: 1 }); const after = { found: /a/ }',
  'expect(text).toMatch(/a/)',
])('%s is not', (text) => {
  expect(problems(text)).toEqual([])
})

test('the line is told', () => {
  const [problem] = problems('// A test.\nexpect(one).toMatchObject({\n  message: /a/,\n})\n')
  expect(problem).toMatch(/^3: /)
})
