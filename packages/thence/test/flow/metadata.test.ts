// What a sender says about a message beside its data: storable or refused, and never at the cost of others.
import type { AppendOptions, MessageOptions } from 'thence'
import { event, plain, saga, step, command } from 'thence'
import { describe, expect, it } from 'vitest'
import { all, kinds, run } from '../kit/places.ts'

const Noted = event('Noted', plain<{ id: string }>())
const Done = event('Done', plain<{ id: string }>())
const Do = command('Do', plain<{ id: string }>())

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** As a program without types would write it. */
const saying = (metadata: unknown) => Noted({ id: 'a' }, { metadata } as MessageOptions)

const refused: readonly (readonly [string, unknown, string])[] = [
  ['a correlation that is a number', { correlationId: 7 }, 'NAME_INVALID'],
  ['a correlation that is an object', { correlationId: {} }, 'NAME_INVALID'],
  ['a correlation with NUL', { correlationId: 'a\u0000b' }, 'NAME_INVALID'],
  ['an empty correlation', { correlationId: '' }, 'NAME_INVALID'],
  ['a cause with a lone surrogate', { causationId: '\ud800' }, 'NAME_INVALID'],
  ['a cause that is too long', { causationId: 'x'.repeat(257) }, 'NAME_INVALID'],
  ['a trace that is none', { traceparent: 'trace-1' }, 'SCHEMA_INVALID'],
  [
    'a trace of zeros',
    { traceparent: trace.replace(/-\w{32}-/, `-${'0'.repeat(32)}-`) },
    'SCHEMA_INVALID',
  ],
  ['a trace state with NUL', { traceparent: trace, tracestate: 'a=\u0000' }, 'SCHEMA_INVALID'],
  ['own facts that are no object', { user: 7 }, 'SCHEMA_INVALID'],
  ['own facts that cannot be stored', { user: { at: new Date(0) } }, 'VALUE_NOT_STORABLE'],
]

const appends: readonly (readonly [string, Partial<AppendOptions>])[] = [
  ['an expected version that is NaN', { expected: Number.NaN }],
  ['an expected version below 0', { expected: -1 }],
  ['an expected version of 1.5', { expected: 1.5 }],
  ['an expectation that is none', { expected: 'some' as 'none' }],
  ['a condition without a position', { condition: { query: [] } as never }],
  ['a condition after NaN', { condition: { query: [], after: Number.NaN } }],
  ['a condition without a query', { condition: { after: 0 } as never }],
]

describe.each(kinds)('an append on $name', ({ make }) => {
  it.each([
    ...refused.map(([what, metadata, code]) => [what, { events: saying(metadata) }, code] as const),
    ...appends.map(
      ([what, options]) =>
        [what, { events: Noted({ id: 'a' }), ...options }, 'CONFIG_INVALID'] as const,
    ),
  ])('with %s is refused alone', async (_, bad, code) => {
    const test = await run(make(), (app) => app.messages(Noted))
    const good = (id: string) => test.app.append({ events: Noted({ id }) })
    const settled = await Promise.allSettled([good('1'), test.app.append(bad), good('2')])
    expect(settled).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code } },
      { status: 'fulfilled' },
    ])
    expect(await all(test.app.log())).toHaveLength(2)
  })

  it('says nothing by what is undefined', async () => {
    const test = await run(make(), (app) => app.messages(Noted))
    const nothing = { correlationId: undefined, causationId: undefined, user: undefined }
    await test.app.append({ events: saying(nothing) })
    const [noted] = await all(test.app.log())
    expect(noted?.metadata).toEqual({ correlationId: noted?.id })
  })

  it('cannot write the mark of a saga', async () => {
    const deed = saga('deed', {
      startedBy: Noted,
      key: ({ data }) => (data as { id: string }).id,
      steps: [step('do', { do: Do, done: Done })],
    })
    const test = await run(make(), (app) => app.use(deed).handle('does', Do, () => undefined))
    const mark = { step: 'do', attempt: 9 }
    await test.app.append({ events: saying({ user: { tenant: 't' }, saga: mark }) })
    await test.settle()
    const log = await all(test.app.log())
    expect(log[0]?.metadata).toEqual({ correlationId: log[0]?.id, user: { tenant: 't' } })
    const sent = log.find(({ type }) => type === 'Do')
    expect(sent?.metadata.saga).toEqual({ step: 'do', attempt: 1 })
    // Handing on the metadata of a message hands on no mark.
    const { metadata } = sent as (typeof log)[0]
    await test.app.append({ stream: 'other', events: Done({ id: 'b' }, { metadata }) })
    const handedOn = (await all(test.app.stream('other')))[0]?.metadata
    expect(handedOn?.correlationId).toBe(log[0]?.id)
    expect(handedOn?.saga).toBeUndefined()
  })
})
