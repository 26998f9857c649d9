/** Tests of what may be a name. */
import { expect, test } from 'vitest'
import { checkName } from './name.ts'

test.each(['\ud800', 'a\udfff', '\ude00\ud83d', 'a\u0000', 'line\nbreak', '\u202e', '', '$own'])(
  'the name %j is refused',
  (name) => {
    expect(() => checkName('It', name)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  },
)

test.each(['a', 'Zürich 8001', '注文', '😀', 'x'.repeat(256)])('the name %j is taken', (name) => {
  expect(() => checkName('It', name)).not.toThrow()
})
