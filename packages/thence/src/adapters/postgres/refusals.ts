/**
 * What it means that no connection to the server came about, or that one broke, and what to do. The server speaks by its codes, the
 * network by those of Node, and `pg` by words alone.
 */
import type { ErrorCode } from '../../errors.ts'

export type Meaning = readonly [ErrorCode, string]

const refused = (text: string): Meaning => ['STORE_REFUSED', text]

const give =
  'Give it in PGPASSWORD, in the file that PGPASSFILE names, or to the pool (in its URL).'

/** By PostgreSQL's codes. */
const answers: ReadonlyMap<string, Meaning> = new Map([
  [
    '28P01',
    refused(
      `The password is missing or wrong, or the server has no such role. Check the user and the password. ${give}`,
    ),
  ],
  [
    '28000',
    refused(
      'The server does not let this role in: there is none of that name, it may not log in, or pg_hba.conf has no line for it and ' +
        'where it comes from. Check the user; else let the administrator of the server look.',
    ),
  ],
  [
    '3D000',
    refused(
      'The server has no database of that name. Check the name, or let the administrator of the server make it (CREATE DATABASE).',
    ),
  ],
])

const shut = refused(
  'The role may not connect to this database. Let the owner of the database run GRANT CONNECT ON DATABASE … TO ….',
)

/** A word or a number of an error; empty if it has none of that name. */
const field = (error: unknown, name: string): string => {
  if (typeof error !== 'object' || error === null) return ''
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** Of the place that was tried, of several the first: host and port, a socket, or nothing. */
const placeOf = (error: unknown): string => {
  const one: unknown = error instanceof AggregateError ? error.errors[0] : error
  const [address, port] = [field(one, 'address'), field(one, 'port')]
  if (address === '') return ''
  if (port === '') return ` at ${address}`
  return ` at ${address.includes(':') ? `[${address}]` : address}:${port}`
}

const unreached = (error: unknown): string =>
  `The server cannot be reached${placeOf(error)}. Check host and port, the network and its firewalls.`

/** By Node's codes, of what the network failed with. */
const failures: ReadonlyMap<string, (error: unknown) => string> = new Map<
  string,
  (error: unknown) => string
>([
  ['ETIMEDOUT', unreached],
  ['EHOSTUNREACH', unreached],
  ['ENETUNREACH', unreached],
  [
    'ECONNREFUSED',
    (error) =>
      `No server listens${placeOf(error)}. Is it running, and are host and port those of the server?`,
  ],
  [
    'ENOTFOUND',
    (error) => `No host of the name ${field(error, 'hostname')} is known. Check the host.`,
  ],
  [
    'EAI_AGAIN',
    (error) =>
      `The name of the host ${field(error, 'hostname')} cannot be looked up now. Check the host, and the network.`,
  ],
])

/** By the words of `pg`, which has no codes. */
const words: readonly (readonly [RegExp, Meaning])[] = [
  [
    /client password must be/,
    refused(`The server asks for a password, and none was given. ${give}`),
  ],
  [
    /server does not support SSL/,
    refused(
      'The server offers no TLS, and TLS was asked for. Let the server offer it, or leave out sslmode.',
    ),
  ],
  [
    /^timeout exceeded when trying to connect/,
    [
      'STORE_FAILED',
      'No connection came in time: all those of the pool are in use, or the server does not answer.',
    ],
  ],
  [
    /^(?:Connection terminated due to connection timeout|timeout expired)/,
    ['STORE_FAILED', unreached(undefined)],
  ],
]

/** What a code of the server means for the connection; undefined if it says nothing of it. */
export function answerMeans(state: string, error: unknown): Meaning | undefined {
  // Rights on tables have the same code; this is where the server looks whether the session may be.
  if (state === '42501' && field(error, 'routine') === 'CheckMyDatabase') return shut
  return answers.get(state)
}

/** What it means that the server did not speak; undefined if that is not known. */
export function silenceMeans(error: unknown): Meaning | undefined {
  const told = failures.get(field(error, 'code'))
  if (told !== undefined) return ['STORE_FAILED', told(error)]
  const text = field(error, 'message')
  return words.find(([pattern]) => pattern.test(text))?.[1]
}
