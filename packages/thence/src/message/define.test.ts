/** Tests of definitions: what they write, and how versions and tags go together. */
import { expect, test } from 'vitest'
import { event } from './define.ts'
import { plain } from './schema.ts'

const v1 = plain<{ seat: string }>()
const v2 = plain<{ place: string }>()

test('a definition writes its type, its version and its options', () => {
  const Taken = event('Taken', v1).upcast(v2, ({ seat }) => ({ place: seat }))
  expect(Taken({ place: '12' }, { id: 'one' })).toEqual({
    kind: 'event',
    type: 'Taken',
    schemaVersion: 2,
    data: { place: '12' },
    id: 'one',
  })
  expect(Taken.name).toBe('Taken')
})

test('the next version of a message with tags must say its own, because its data is another', () => {
  const Taken = event('Taken', v1, { tags: ({ seat }) => [`seat:${seat}`] })
  expect(() => Taken.upcast(v2, ({ seat }) => ({ place: seat }))).toThrow(
    /upcast\(schema, up, \{ tags \}\)/,
  )
  const Next = Taken.upcast(v2, ({ seat }) => ({ place: seat }), {
    tags: ({ place }) => [`seat:${place}`],
  })
  expect(Next.tags({ place: '12' })).toEqual(['seat:12'])
})
