/**
 * The time of a store: by default that of the database server, so that processes need not agree on theirs; a test or a
 * simulation gives that of its runtime instead.
 */

/** SQL for now, in Unix milliseconds; `parameter` is {@link Scope.time}, which is null where the server decides. */
export const nowOr = (parameter: string): string =>
  `coalesce(${parameter}::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)`
