// Processes whose own clocks are an hour apart: what is due, and how fast a job goes, is what the clock of the database says.
import * as admin from 'thence/admin'
import { memory, memoryStore } from 'thence/memory'
import { virtualRuntime } from 'thence/testing'
import { expect, it } from 'vitest'
import { inPairs } from '../kit/faults.ts'
import { Posted } from '../kit/post-office-messages.ts'
import type { Post, PostOptions } from '../kit/post-office.ts'
import { letters, startPost } from '../kit/post-office.ts'
import { skewed } from '../kit/skew.ts'

/** A store and its clock, and post offices on it whose own clocks differ from that. */
const setUp = () => {
  const clock = virtualRuntime()
  const store = memoryStore({ clock })
  const times: number[] = []
  const post: Post = {
    broken: new Set(['all']),
    tries: [],
    tried: () => times.push(clock.now()),
  }
  const open = (hours: number, options: PostOptions = {}) => {
    const runtime = skewed(clock, () => hours * 3_600_000)
    return startPost({ runtime, open: () => memory({ store }) }, post, options)
  }
  /** A look at it from outside of them. */
  const outside = async (): Promise<admin.On> => {
    const database = memory({ store })
    await database.open(clock)
    return { database, runtime: clock }
  }
  return { clock, times, post, open, outside }
}

const apart = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const

it.each(apart)(
  'a redrive of processes whose clocks are %s and %s hours wrong keeps its rate, and goes on when the first leaves',
  async (one, other) => {
    const { clock, times, post, open, outside } = setUp()
    const pairs = inPairs('jobs')
    const first = await open(one, pairs)
    await first.post(...letters(60))
    await open(other, pairs)
    const on = await outside()
    post.broken.clear()
    times.length = 0
    const { id } = await admin.startRedrive(on, { rate: 10, canary: false })
    const sent = async (): Promise<number> => Number((await admin.job(on, id)).progress['redriven'])
    const each: number[] = []
    for (let passed = 1; passed <= 12; passed += 1) {
      const before = await sent()
      await clock.advance('1s')
      each.push((await sent()) - before)
      if (passed !== 2) continue
      pairs.end()
      await first.test.stop()
    }
    expect(await admin.job(on, id)).toMatchObject({
      state: 'done',
      progress: { resolved: 60 },
    })
    expect(Math.max(...each)).toBeLessThanOrEqual(12)
    expect(times).toHaveLength(60)
  },
)

it.each(apart)(
  'what fails in a process whose clock is %s hours wrong is tried again in time by one that is %s hours wrong',
  async (one, other) => {
    const { clock, times, post, open } = setUp()
    const retry = { attempts: 3, base: 4000 }
    const first = await open(one, retry)
    await first.test.app.append({ stream: 'box', events: letters(3).map((data) => Posted(data)) })
    await clock.advance(10)
    expect(times).toHaveLength(3)
    await first.test.stop()
    const second = await open(other, retry)
    post.broken.clear()
    await clock.advance('10s')
    expect(new Set(await second.delivered())).toEqual(new Set([1, 2, 3]))
    expect(times).toHaveLength(6)
  },
)
