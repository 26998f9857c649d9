/**
 * What is asked of the log and of streams, checked: a query that is misspelt would match everything, and a place that is
 * none would find nothing.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectCount, expectList, expectOptions, shown } from '../message/expect.ts'
import { checkName } from '../message/name.ts'
import type { QueryItem, ReadAll } from '../ports/events.ts'
import type { ReadStreamOptions } from '../store/stream-pages.ts'

/** What of the log is read; see `App.log`. */
export type ReadLogOptions = Omit<ReadAll, 'limit' | 'maxBytes' | 'unsettled'> & {
  readonly limit?: number
}

const streamNames: OptionNames<ReadStreamOptions> = { from: true, backwards: true, limit: true }
const logNames: OptionNames<ReadLogOptions> = {
  query: true,
  after: true,
  before: true,
  backwards: true,
  limit: true,
}
const itemNames: OptionNames<QueryItem> = { types: true, tags: true }

const expectWhole = (what: string, value: number | undefined): void => {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what} is ${shown(value)}; give a whole number of at least 0.`,
  )
}

/** @throws CONFIG_INVALID, NAME_INVALID */
export function checkQuery(what: string, query: unknown): void {
  expectList(what, query)
  for (const item of query as readonly QueryItem[]) {
    expectOptions(`an item of ${what}`, item, itemNames)
    for (const [name, list] of Object.entries({ types: item.types, tags: item.tags })) {
      if (list === undefined) continue
      expectList(`${name} of ${what}`, list)
      for (const one of list) checkName(`What ${name} of ${what} names`, one)
    }
  }
}

/** @throws CONFIG_INVALID, NAME_INVALID */
export function checkStreamRead(name: string, options: ReadStreamOptions): void {
  checkName('The stream', name)
  expectOptions('stream', options, streamNames)
  if (options.from !== undefined) expectCount('from of stream', options.from)
  if (options.limit !== Infinity) expectWhole('limit of stream', options.limit)
}

/** @throws CONFIG_INVALID, NAME_INVALID */
export function checkLogRead(options: ReadLogOptions): void {
  expectOptions('log', options, logNames)
  const { query, after, before, limit } = options
  if (query !== undefined) checkQuery('query of log', query)
  expectWhole('after of log', after)
  expectWhole('before of log', before)
  if (limit !== Infinity) expectWhole('limit of log', limit)
}
