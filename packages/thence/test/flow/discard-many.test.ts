// Many letters given up at once: which of them, in how many transactions, what waits behind them, and what the audit log tells.
import type { Database } from 'thence'
import { event, handler, plain } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { kinds, run, wrap } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())

const permanent = Object.assign(new Error('service answers 404'), { name: 'Gone' })

/** Of each bell the first ring fails, for good if the bell is odd, and the second one waits behind it. */
const deaf = (heard: string[]) =>
  handler('deaf', Rung, {
    key: ({ data }) => data.bell,
    retry: { attempts: 1 },
    classify: (error) => (error === permanent ? 'permanent' : 'transient'),
    run: ({ data: { bell, n } }) => {
      if (n > 0) return void heard.push(bell)
      throw bell.endsWith('odd') ? permanent : new Error('service answers 503')
    },
  })

const rings = (count: number) =>
  Array.from({ length: count }, (_, at) => {
    const bell = `${at} ${at % 2 === 1 ? 'odd' : 'even'}`
    return [Rung({ bell, n: 0 }), Rung({ bell, n: 1 })]
  }).flat()

describe.each(kinds.slice(0, 2))('on $name', ({ make }) => {
  it('what failed for good is given up, a hundred letters at a time, and what waits behind goes on', async () => {
    const place = make()
    const heard: string[] = []
    const test = await run(place, (app) => app.use(deaf(heard)))
    await test.app.append({ events: rings(450) })
    await test.settle()
    await test.runtime.advance('2s')
    const at = { database: test.app.database, runtime: place.runtime }
    const groups = await admin.deadLetterGroups(at)
    expect(groups.map(({ count, sample }) => `${count} ${sample.kind}`).toSorted()).toEqual([
      '225 permanent',
      '225 transient',
    ])
    let most = 0
    const counting: Database = wrap(at.database, {
      transact: (work, options) =>
        at.database.transact(async (transaction) => {
          const before = await transaction.deadLetters.counts()
          const result = await work(transaction)
          const { discarded } = await transaction.deadLetters.counts()
          most = Math.max(most, discarded - before.discarded)
          return result
        }, options),
    })
    const on = { ...at, database: counting, actor: 'ann' }
    expect(await admin.planDiscard(on, { kind: 'permanent' })).toMatchObject({ total: 225 })
    expect(await admin.discardMany(on, { kind: 'permanent', reason: 'gone' })).toBe(225)
    expect(most).toBe(100)
    await test.runtime.advance('10s')
    expect(heard).toHaveLength(225)
    expect(heard.every((bell) => bell.endsWith('odd'))).toBe(true)
    const left = await admin.deadLetters(on, { state: 'parked', limit: 1000 })
    expect(left.map(({ kind }) => kind)).toEqual(Array.from({ length: 225 }, () => 'transient'))
    const given = await admin.deadLetters(on, { state: 'discarded', limit: 1000 })
    expect(new Set(given.map(({ reason }) => reason))).toEqual(new Set(['gone']))
    const entries = await admin.audit(on)
    expect(entries).toMatchObject([
      {
        actor: 'ann',
        action: 'dead-letter.discard-many',
        target: '*',
        reason: 'gone',
        details: { total: 225, kind: 'permanent' },
      },
    ])
    await expect(
      admin.discardMany(on, { kind: 'permanent', reason: 'again' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(admin.discardMany(on, { reason: 'all' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    await expect(admin.discardMany(on, { kind: 'bug', reason: ' ' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    expect(await admin.audit(on)).toHaveLength(1)
  })
})
