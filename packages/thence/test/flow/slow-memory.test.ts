// A call that goes on beside its partition keeps its own message in memory, and nothing of what was read with it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { event, handler, plain } from 'thence'
import { expect, it } from 'vitest'
import { gate, kinds, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string }>())

const collector = (): (() => void) => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

it.each(kinds)('a call that hangs does not keep its page on $name', async ({ make }) => {
  const slow = gate()
  const rung: WeakRef<object>[] = []
  const ear = handler('ear', Rung, {
    key: ({ data }) => data.bell,
    timeout: '1h',
    run: ({ data }) => {
      if (data.bell === 'slow') return slow.opened
      rung.push(new WeakRef(data))
      return undefined
    },
  })
  const test = await run(make(), (app) => app.use(ear))
  const bells = ['slow', 'a', 'b', 'c']
  await test.app.append({ events: bells.map((bell) => Rung({ bell })) })
  await test.runtime.advance('3s')
  await test.app.append({ events: Rung({ bell: 'd' }) })
  await test.runtime.advance('3s')
  const collect = collector()
  // What a promise holds is let go one turn after it.
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  expect(rung).toHaveLength(4)
  expect(rung.filter((one) => one.deref() !== undefined)).toEqual([])
  slow.open()
  await test.settle()
})
