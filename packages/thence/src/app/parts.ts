/**
 * What an app is put together from, and the checks that tell mistakes when it is built, not when a message arrives.
 */
import type { Aggregate } from '../decide/aggregate.ts'
import { ThenceError } from '../errors.ts'
import type { Handler } from '../handle/handler.ts'
import type { AnyDefinition } from '../message/define.ts'
import { shown, surprise } from '../message/expect.ts'
import { Registry } from '../message/registry.ts'
import type { Projection } from '../project/projection.ts'
import type { Saga } from '../saga/saga.ts'
import type { Schedule } from '../schedule/schedule.ts'

/** A part that follows the log, or decides what is written to it. */
export type LogPart = Aggregate | Projection | Saga | Handler
export type Part = LogPart | Schedule

/** The types of the commands that a part takes. */
export type CommandsOf<P> = P extends Aggregate<infer C> | Handler<infer C> ? C : never
/** The types of the queries that a part answers. */
export type QueriesOf<P> = P extends Projection<infer Q> ? Q : never

/** The parts of an app by kind, checked against each other. */
export interface Parts {
  readonly registry: Registry
  readonly aggregates: readonly Aggregate[]
  readonly projections: readonly Projection[]
  readonly sagas: readonly Saga[]
  readonly handlers: readonly Handler[]
  readonly schedules: readonly Schedule[]
  /** Command type → the aggregate that decides it. */
  readonly deciders: ReadonlyMap<string, Aggregate>
  /** Query type → the projection that answers it. */
  readonly answerers: ReadonlyMap<string, Projection>
}

/** A part of a new kind does not compile until it is here. */
const kinds: Readonly<Record<Part['part'], true>> = {
  aggregate: true,
  projection: true,
  saga: true,
  handler: true,
  schedule: true,
}

/** @throws CONFIG_INVALID unless `value` is a part of an app. */
export function checkPart(value: unknown): void {
  const isPart =
    typeof value === 'object' &&
    value !== null &&
    'part' in value &&
    Object.hasOwn(kinds, String(value.part))
  if (isPart) return
  const each = Array.isArray(value) ? ' Give its members one by one: use(...parts).' : ''
  throw new ThenceError(
    'CONFIG_INVALID',
    `use takes aggregates, projections, sagas, handlers and schedules; this is ${shown(value)}.${each}${surprise(value)}`,
  )
}

const ofKind = <K extends Part['part']>(
  parts: readonly Part[],
  kind: K,
): Extract<Part, { part: K }>[] =>
  parts.filter((part): part is Extract<Part, { part: K }> => part.part === kind)

const definitionsOf = (part: Part): readonly AnyDefinition[] => {
  switch (part.part) {
    case 'aggregate':
      return [...part.evolve.values(), ...part.decide.values()].map(({ definition }) => definition)
    case 'projection':
      return [...part.on.values()].map(({ definition }) => definition)
    case 'handler':
      return part.definitions
    case 'saga':
      return sagaDefinitions(part)
    case 'schedule':
      return []
  }
}

const sagaCommands = ({ steps }: Saga): readonly AnyDefinition[] =>
  steps
    .flatMap((step) => [step.do, step.undo])
    .filter((command) => command !== undefined && 'kind' in command)

const sagaDefinitions = (saga: Saga): readonly AnyDefinition[] => [
  saga.startedBy,
  ...[...saga.on.values()].map(({ definition }) => definition),
  ...saga.steps.flatMap(({ done, failed, undone }) => [
    done,
    ...failed,
    ...(undone === undefined ? [] : [undone]),
  ]),
  ...sagaCommands(saga),
  ...(Object.values(saga.facts) as unknown as readonly AnyDefinition[]),
]

/** A schedule may be named as the part that takes its commands is: it has no checkpoint. */
const checkNames = (parts: readonly Part[]): void => {
  const taken = new Map<string, string>()
  for (const { name, part } of parts) {
    const key = part === 'schedule' ? `${part} ${name}` : ` ${name}`
    const other = taken.get(key)
    if (other !== undefined)
      throw new ThenceError(
        'NAME_TAKEN',
        `"${name}" names both a ${other} and a ${part}; each needs a name of its own, because its state is kept under it.`,
      )
    taken.set(key, part)
  }
}

const unique = <P extends Part>(
  entries: Iterable<readonly [string, P]>,
  what: string,
): ReadonlyMap<string, P> => {
  const map = new Map<string, P>()
  for (const [type, part] of entries) {
    const other = map.get(type)
    if (other !== undefined)
      throw new ThenceError(
        'NAME_TAKEN',
        `${type} is ${what} by both ${other.name} and ${part.name}; exactly one must.`,
      )
    map.set(type, part)
  }
  return map
}

const checkSagas = (sagas: readonly Saga[], handled: ReadonlyMap<string, Part>): void => {
  for (const saga of sagas)
    for (const { type } of sagaCommands(saga))
      if (!handled.has(type))
        throw new ThenceError(
          'CONFIG_INVALID',
          `Saga ${saga.name} sends ${type}, but nothing in this app handles it. Add the aggregate or handler that does.`,
        )
}

/** @throws NAME_TAKEN, CONFIG_INVALID */
export function assemble(parts: readonly Part[], extra: readonly AnyDefinition[]): Parts {
  checkNames(parts)
  const registry = new Registry()
  for (const definition of [...extra, ...parts.flatMap(definitionsOf)]) registry.add(definition)
  const aggregates = ofKind(parts, 'aggregate')
  const handlers = ofKind(parts, 'handler')
  const projections = ofKind(parts, 'projection')
  const sagas = ofKind(parts, 'saga')
  const schedules = ofKind(parts, 'schedule')
  const deciders = aggregates.flatMap((one) =>
    [...one.decide.keys()].map((type) => [type, one] as const),
  )
  const commandHandlers = handlers.flatMap((one) =>
    one.definitions
      .filter(({ kind }) => kind === 'command')
      .map(({ type }) => [type, one] as const),
  )
  const takers = unique<Aggregate | Handler>([...deciders, ...commandHandlers], 'handled')
  for (const type of takers.keys()) registry.take(type)
  checkSagas(sagas, takers)
  const answerers = projections.flatMap((one) =>
    [...one.answers.keys()].map((type) => [type, one] as const),
  )
  return {
    registry,
    aggregates,
    projections,
    sagas,
    handlers,
    schedules,
    deciders: new Map(deciders),
    answerers: unique(answerers, 'answered'),
  }
}
