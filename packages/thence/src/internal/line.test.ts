import { expect, test } from 'vitest'
import { Line } from './line.ts'

test('who waits has a turn in order of coming, and who gives up is not in the way', async () => {
  const line = new Line()
  const patient = new AbortController()
  const hasty = new AbortController()
  const turns: string[] = []
  const come = async (name: string, { signal }: AbortController): Promise<void> => {
    turns.push(`${name} ${await line.wait(signal)}`)
  }
  const all = [come('a', patient), come('b', hasty), come('c', patient)]
  hasty.abort()
  all.push(come('d', hasty))
  expect([line.next(), line.next(), line.next()]).toEqual([true, true, false])
  expect(line.isEmpty).toBe(true)
  patient.abort()
  await Promise.all(all)
  expect(turns.toSorted()).toEqual(['a true', 'b false', 'c true', 'd false'])
})
