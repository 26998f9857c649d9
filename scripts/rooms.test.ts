import { expect, test } from 'vitest'
import { problems, unruled } from './rooms.ts'

const opening = '// A file.\n'

test.each(['new Date()', 'new Date', 'Date()', 'randomUUID()', 'webcrypto.subtle'])(
  'a room that uses %s is refused',
  (call) => {
    expect(problems('handle/a.ts', `${opening}const a = ${call}\n`)).toHaveLength(1)
    expect(problems('app/system-runtime.ts', `${opening}const a = ${call}\n`)).toEqual([])
    expect(problems('adapters/sqlite/a.ts', `${opening}const a = ${call}\n`)).toEqual([])
  },
)

test('a given time, a comment and a string are not the present time', () => {
  const text = `${opening}const a = new Date(at)\nconst b = 'new Date()' // Date()\n/* new Date */\n`
  expect(problems('handle/a.ts', text)).toEqual([])
})

test('the line is told', () => {
  expect(problems('handle/a.ts', `${opening}/* two\nlines */ const a = new Date()\n`)).toEqual([
    '3: new Date: the present time comes from ports/runtime.ts',
  ])
})

test('a file that opens without saying what it is is refused', () => {
  expect(problems('cli/main.ts', "import 'node:fs'\n")).toHaveLength(1)
  expect(
    problems('cli/main.ts', "#!/usr/bin/env node\n// The command.\nimport 'node:fs'\n"),
  ).toEqual([])
})

test('a room without an import rule is refused', () => {
  const configuration = '{ "files": ["packages/thence/src/store/**"], "rules": {} }'
  expect(unruled(['store', 'attic'], configuration)).toEqual(['attic'])
})
