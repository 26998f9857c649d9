/** Which parts of an app nothing came to: of those a simulation has shown nothing. */
import type { Outcome } from './outcome.ts'

/** Aggregates that wrote nothing, schedules that sent nothing, and what follows the log and was given nothing. */
export function idleParts({ parts, log }: Outcome): readonly string[] {
  const types = new Set(log.map(({ type }) => type))
  const streams = new Set(log.map(({ stream }) => stream.slice(0, stream.indexOf('-'))))
  return [
    ...parts.aggregates.filter(({ name }) => !streams.has(name)),
    ...parts.handlers.filter(({ definitions }) => !definitions.some(({ type }) => types.has(type))),
    ...parts.projections.filter(({ on }) => ![...on.keys()].some((type) => types.has(type))),
    ...parts.sagas.filter(({ startedBy }) => !types.has(startedBy.type)),
    ...parts.schedules.filter(({ name }) => !log.some(({ id }) => id.startsWith(`${name}@`))),
  ].map(({ part, name }) => `${part} ${name}`)
}
