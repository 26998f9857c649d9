// What a user sees of `simulate`: a report, the story of a failure, and what it refuses to take for proof.
import { strict as assert } from 'node:assert'
import { command, documents, event, handler, plain, projection, schedule } from 'thence'
import type { AppBuilder } from 'thence'
import { simulate } from 'thence/testing'
import type { SimulatedClient, SimulatedProcess } from 'thence/testing'
import { describe, expect, test } from 'vitest'
import { failure } from '../kit/failure.ts'

const Note = command('Note', plain<{ readonly text: string }>())
const Noted = event('Noted', plain<{ readonly text: string }>())

const Erased = event('Erased', plain<{ readonly text: string }>())

const patient = { timeout: 120_000 }

/** Commands are done by a handler, and a view shows what came of them. */
const notes = (builder: AppBuilder, { outside }: SimulatedProcess) =>
  builder.use(
    handler('clerk', Note, ({ data, id }, { append }) => {
      outside('ink', id)
      append(`page-${data.text}`, Noted(data))
    }),
    projection('book', {
      view: documents<{ times: number }>(),
      on: (on) =>
        on(Noted, ({ data }, view) =>
          view.update(data.text, (before) => ({ times: (before?.times ?? 0) + 1 })),
        ),
    }),
  )

const writing = async ({ chance, send, wait }: SimulatedClient<'Note', never>): Promise<void> => {
  for (let times = 0; times < 4; times += 1) {
    await send(Note({ text: chance.pick(['a', 'b', 'c']) }))
    await wait(chance.whole(200))
  }
}

describe('a simulation', patient, () => {
  test('of an app that is right tells what struck', async () => {
    const report = await simulate(notes, {
      seeds: 100,
      workload: writing,
      invariants: {
        'every command is done once': ({ messages }) => {
          const count = (type: string): number =>
            messages.filter((message) => message.type === type).length
          assert.equal(count('Noted'), count('Note'))
        },
        'what is acknowledged is told': ({ acknowledged, outside }) => {
          const inked = new Set(outside.map(({ value }) => value))
          for (const { id } of acknowledged) assert(inked.has(id))
        },
      },
    })
    expect(report.seeds).toBe(100)
    for (const name of [
      'crash-before',
      'crash-after',
      'kill',
      'lost-reply',
      'late-request',
      'freeze',
    ])
      expect(report.counts.get(name), name).toBeGreaterThan(0)
    expect(report.text).toContain('100 seeds')
    expect(report.text).toContain('2 were run twice and were the same')
  })

  test('of an app that is wrong tells the fewest strikes and the story', async () => {
    const told = await failure(
      simulate(notes, {
        workload: writing,
        invariants: {
          'nobody tries again': ({ outside, messages }) => {
            const commands = messages.filter(({ type }) => type === 'Note')
            assert.equal(outside.length, commands.length)
          },
        },
      }),
    )
    expect(told).toMatch(/^Seed \d+ failed:\n {2}invariant: nobody tries again: AssertionError/u)
    const enough = /\n(\d+) of (\d+) strikes are enough:\n {2}p\d, (?:call \d+|after \d+ ms): /u
    const [, kept, all] = enough.exec(told) ?? []
    // That each of them is needed is shown in shrink.test.ts.
    expect(Number(kept)).toBeLessThan(Number(all))
    expect(told).toMatch(/s {2}p\d\.1 {2}is up\n/u)
    expect(told).toMatch(/To see it again: simulate\(…, \{ seeds: \{ from: \d+, count: 1 \} \}\)$/u)
  })

  test('fails in the same way again', async () => {
    const options = {
      workload: writing,
      invariants: {
        'nothing is ever noted': ({ messages }: { messages: readonly unknown[] }) =>
          assert.equal(messages.length, 0),
      },
      seeds: { from: 7, count: 1 },
    }
    const stories: string[] = []
    for (let times = 0; times < 2; times += 1) stories.push(await failure(simulate(notes, options)))
    const [told = '', again] = stories
    expect(told).toContain('Seed 7 failed')
    expect(told).toContain('It fails without any strike')
    expect(again).toBe(told)
  })

  test('refuses chance of its own', async () => {
    let calls = 0
    const told = await failure(
      simulate(notes, {
        seeds: 1,
        async workload({ send, wait }) {
          calls += 1
          await wait(calls * 7)
          await send(Note({ text: 'a' }))
        },
      }),
    )
    expect(told).toContain('not-repeatable: seed 1 went another way the second time')
  })

  test('refuses to prove what never happened', async () => {
    const silent = simulate(notes, {
      seeds: 3,
      workload: writing,
      requires: ['the ink ran out'],
    })
    expect(await failure(silent)).toContain('these never happened: the ink ran out')
  })

  test('tells what never did anything, and that a schedule that was fired did', async () => {
    const build = (builder: AppBuilder, context: SimulatedProcess) =>
      notes(builder, context).use(
        handler('erasing', Erased, () => undefined),
        ...['nightly', 'yearly'].map((name) =>
          schedule(name, { cron: '0 0 30 6 *', send: () => Note({ text: name }) }),
        ),
      )
    const { text } = await simulate(build, {
      seeds: 3,
      workload: async ({ number, call }) => {
        if (number === 0) await call((app) => app.schedules.fire('nightly'))
      },
    })
    expect(text).toMatch(/\nNever did anything: handler erasing, schedule yearly\.$/u)
    const used = await simulate(notes, { seeds: 3, workload: writing })
    expect(used.text).not.toContain('Never did anything')
  })

  test('tells a workload that throws', async () => {
    const told = await failure(
      simulate(notes, {
        seeds: 1,
        workload: async ({ append }) => {
          await append({ stream: 's', expected: 3, events: Noted({ text: 'x' }) })
        },
      }),
    )
    expect(told).toContain(
      'workload: client 0 failed: ThenceError: Stream s was expected at version 3',
    )
  })

  test('tells a workload that waits for longer than there is patience', async () => {
    const told = await failure(
      simulate(notes, {
        seeds: 1,
        patience: '5s',
        workload: async ({ number, send, wait }) => {
          await send(Note({ text: 'a' }))
          if (number === 0) await wait('1m')
        },
      }),
    )
    expect(told).toContain(
      'stuck: a workload was still in a wait of its own 5000 ms after the hazards were over, which is the option patience',
    )
  })

  test('tells why a message was given up', async () => {
    const told = await failure(
      simulate(
        (builder) =>
          builder.use(
            // Nothing in this app knows the event.
            handler('clerk', Note, (_, { append }) => append('page', Noted({ text: 'x' }))),
          ),
        { seeds: 1, workload: async ({ send }) => void (await send(Note({ text: 'x' }))) },
      ),
    )
    const why = 'MESSAGE_UNKNOWN: No message "Noted" is known to this app'
    expect(told).toMatch(/^Seed 1 failed:\n {2}dead-letter-wrong: /u)
    expect(told).toContain(`clerk parked 1 though nothing was planted in it: ${why}`)
    expect(told).toContain(`dead letter of clerk for 1: ${why}`)
  })

  test('tells an app that does not start', async () => {
    const told = await failure(
      simulate(
        (builder) =>
          builder.use(
            handler('same', Note, () => undefined),
            handler('same', Noted, () => undefined),
          ),
        {
          seeds: 1,
          patience: '5s',
          workload: async ({ send }) => void (await send(Note({ text: 'x' }))),
        },
      ),
    )
    expect(told).toContain(
      'stuck: a client never got its answer 5000 ms after the hazards were over, which is the option patience; what a ' +
        'workload waits counts too; a start failed: ThenceError: "same" names both',
    )
  })

  test('leaves out the hazards that are not wanted, and knows those that the app asks for', async () => {
    const calm = Object.fromEntries(
      [
        'crash',
        'pause',
        'clock',
        'restart',
        'lostReply',
        'lateRequest',
        'lostRequest',
        'lostConnection',
        'slowCall',
        'duplicate',
        'slowHandler',
        'passingError',
        'viewError',
      ].map((name) => [name, 0]),
    )
    const report = await simulate(
      (builder, context) => {
        context.sometimes('it starts')
        return notes(builder, context)
      },
      { seeds: 3, workload: writing, hazards: calm, requires: ['it starts'] },
    )
    expect(
      [...report.counts.keys()].filter((name) => /crash|lost|kill|freeze|stop/u.test(name)),
    ).toEqual(['stop'])
    expect(report.counts.get('it starts')).toBe(9)
  })
})
