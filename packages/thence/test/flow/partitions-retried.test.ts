// A message that waits for its next attempt while its subscription is divided anew: what stands before it in its new
// partition is still done.
import { event, handler, plain } from 'thence'
import { expect, it } from 'vitest'
import { hashOf } from '../../src/internal/hash.ts'
import { file, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string }>())

/** Two keys that are apart while there are two partitions. */
const bells = ['a', 'b', 'c', 'd', 'e', 'f']
const slow = bells.find((bell) => hashOf(bell) % 2 === 0) as string
const failing = bells.find((bell) => hashOf(bell) % 2 === 1) as string

it('does not take the checkpoint past what another partition has not done', async () => {
  const place = file.make()
  const retried = Promise.withResolvers<void>()
  let fails = true
  const ear = (partitions: number) =>
    handler('ear', Rung, {
      key: ({ data }) => data.bell,
      partitions,
      retry: { base: 500, cap: 500 },
      run: async ({ data: { bell } }, { signal, within }) => {
        if (bell === failing && fails) throw new Error('This failure passes.')
        if (bell === slow) {
          const aborted = new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => resolve()),
          )
          await Promise.race([retried.promise, aborted])
          signal.throwIfAborted()
        }
        within(({ documents }) => documents.put('heard', bell, 'yes'))
        if (bell === failing) retried.resolve()
      },
    })
  const before = await run(place, (app) => app.use(ear(2)))
  await before.app.append({ events: [Rung({ bell: slow }), Rung({ bell: failing })] })
  await place.runtime.advance(50)
  const rows = await look(before)(({ checkpoints }) => checkpoints.list('ear'))
  expect(rows.map(({ position }) => position)).toEqual([0, 2])
  await place.runtime.until(before.app.stop({ deadline: 0 }))
  fails = false
  const after = await run(place, (app) => app.use(ear(1)))
  await after.settle()
  const heard = await look(after)(({ documents }) => documents.list('heard', { limit: 9 }))
  expect(heard.map(({ key }) => key)).toEqual([slow, failing].toSorted())
})
