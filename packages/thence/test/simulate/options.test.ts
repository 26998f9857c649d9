// Options with which a simulation would pass and prove nothing are refused before a seed is run.
import { event, handler, plain } from 'thence'
import type { AppBuilder } from 'thence'
import { simulate } from 'thence/testing'
import { expect, test } from 'vitest'

const Noted = event('Noted', plain<{ readonly text: string }>())

const build = (builder: AppBuilder): AppBuilder =>
  builder.use(handler('clerk', Noted, () => undefined))

/** As a caller without types would, or one whose value comes from the environment. */
const simulated = (options: object): Promise<unknown> =>
  Reflect.apply(simulate, undefined, [build, { workload: async () => undefined, ...options }])

const refused: readonly (readonly [string, object, string])[] = [
  ['no seeds', { seeds: 0 }, 'seeds of the simulation is 0, which runs none'],
  ['fewer than none', { seeds: -1 }, 'seeds of the simulation is -1'],
  ['seeds that are no number', { seeds: Number.NaN }, 'seeds of the simulation is NaN'],
  ['a part of a seed', { seeds: 2.5 }, 'seeds of the simulation is 2.5'],
  ['seeds as text', { seeds: '3' }, 'seeds of the simulation is "3"'],
  ['seeds without a count', { seeds: { from: 1 } }, '{ from: 1, count: undefined }'],
  ['a count of none', { seeds: { from: 5, count: 0 } }, '{ from: 5, count: 0 }'],
  ['seeds that are null', { seeds: null }, 'seeds of the simulation is null'],
  ['no workload', { workload: undefined }, 'workload of the simulation must be a function'],
  ['a hazard that there is not', { hazards: { crsh: 1 } }, 'Did you mean crash'],
  ['a hazard that is no number', { hazards: { crash: 'often' } }, 'hazards.crash'],
  ['an option that there is not', { hazard: { crash: 0 } }, 'Did you mean hazards'],
  ['an option of the app that there is not', { app: { retentoin: {} } }, 'Did you mean retention'],
  ['no clients', { clients: 0 }, 'clients of the simulation must be a whole number'],
  ['no processes', { processes: 0 }, 'processes of the simulation must be a whole number'],
  ['an invariant that is none', { invariants: { 'all is paid': true } }, '"all is paid"'],
  ['one name instead of a list', { requires: 'paid' }, 'requires of the simulation must be a list'],
  ['a call that there is not', { allows: ['Date.today'] }, 'Date.now'],
]

test.for(refused)('%s', async ([, options, says]) => {
  await expect(simulated(options)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(says),
  })
})

test('nothing that builds an app', async () => {
  const work = Reflect.apply(simulate, undefined, [undefined, { workload: async () => undefined }])
  await expect(work).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('what is right is run', async () => {
  expect(await simulated({ seeds: { from: 3, count: 2 } })).toMatchObject({ seeds: 2 })
})
