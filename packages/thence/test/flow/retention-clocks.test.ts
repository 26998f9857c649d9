// Retention in a process whose own clock is hours wrong: what is old enough is what the clock of the database says.
import type { RetentionOptions } from 'thence'
import { memory, memoryStore } from 'thence/memory'
import { virtualRuntime } from 'thence/testing'
import { expect, it } from 'vitest'
import { click, keep, left, start } from '../kit/keeping.ts'
import { gate } from '../kit/places.ts'
import { skewed } from '../kit/skew.ts'

/** A store and its clock, and processes on it whose own clocks differ from that. */
const setUp = () => {
  const clock = virtualRuntime()
  const store = memoryStore({ clock })
  const process = (hours: number, log?: RetentionOptions['log']) =>
    start(
      { runtime: skewed(clock, () => hours * 3_600_000), open: () => memory({ store }) },
      keep(log, { every: '1m' }),
    )
  return { clock, process }
}

it.each([-5, 5])(
  'a process whose clock is %s hours wrong removes messages by that of the database',
  async (hours) => {
    const { clock, process } = setUp()
    const test = await process(0)
    await process(hours, [{ category: 'clicks', olderThan: '1h' }])
    await click(test, 'clicks-1', 1)
    await clock.advance('58m')
    expect(await left(test, 'clicks-1')).toEqual([1])
    await clock.advance('5m')
    expect(await left(test, 'clicks-1')).toEqual([])
  },
)

it('a process whose clock is ahead keeps nobody from removing once it says nothing more', async () => {
  const { clock, process } = setUp()
  const stuck = gate()
  const archived: unknown[] = []
  const rule = { category: 'clicks', olderThan: '10m' } as const
  await process(5, [{ ...rule, archive: () => stuck.opened }])
  const test = await process(0, [
    { ...rule, archive: (messages) => void archived.push(...messages) },
  ])
  await click(test, 'clicks-1', 1)
  await clock.advance('15m')
  expect(archived).toHaveLength(1)
  expect(await left(test, 'clicks-1')).toEqual([])
  stuck.open()
})
