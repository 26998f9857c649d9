/**
 * Which store the command was told of: a SQLite file or a PostgreSQL URL, and how it is named to people, without a password.
 */
import type { Order } from 'thence/postgres'
import { usage } from './exit-code.ts'
import { line, quoted } from './text.ts'

export interface FilePlace {
  readonly kind: 'file'
  readonly name: string
  readonly file: string
}

export interface ServerPlace {
  readonly kind: 'server'
  /** The URL without its password and options of the driver. */
  readonly name: string
  /** As the driver takes it. */
  readonly url: string
  readonly schema: string | undefined
  /** Where a store has the tables of its views that is made there. */
  readonly views: string | undefined
  /** In which order a store gives positions that is made there. */
  readonly order: Order | undefined
}

export type Place = FilePlace | ServerPlace

/** What the global options say of it. */
export interface PlaceOptions {
  readonly db?: string
  readonly store?: string
}

const scheme = /^postgres(?:ql)?:\/\//i
const otherScheme = /^([a-z][a-z0-9+.-]*):\/\//i

/** Parameters of the URL that are ours. */
const own = ['schema', 'views', 'order']
/** Those that `pg` takes, or passes over where hosts write them into their URLs. */
const ofDriver = [
  'host',
  'port',
  'user',
  'password',
  'ssl',
  'sslmode',
  'sslcert',
  'sslkey',
  'sslrootcert',
  'sslnegotiation',
  'uselibpqcompat',
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'options',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
  'channel_binding',
  'connect_timeout',
]

/** One that is misspelt would lead to another store. */
const checkParameters = ({ searchParams }: URL): void => {
  const unknown = [...searchParams.keys()].find((name) => ![...own, ...ofDriver].includes(name))
  if (unknown !== undefined)
    throw usage(
      `The URL of the store has no parameter ${line(unknown)}. There are ${own.join(', ')}, and of pg: ${ofDriver.join(', ')}.`,
    )
}

const filePlace = (file: string): FilePlace => ({ kind: 'file', name: file, file })

const serverPlace = (text: string): ServerPlace => {
  if (!URL.canParse(text))
    throw usage(
      'The URL of the store cannot be read: postgres://user@host:5432/database?schema=thence',
    )
  const url = new URL(text)
  checkParameters(url)
  const schema = url.searchParams.get('schema') ?? undefined
  url.searchParams.delete('schema')
  const views = url.searchParams.get('views') ?? undefined
  url.searchParams.delete('views')
  const order = url.searchParams.get('order') ?? undefined
  url.searchParams.delete('order')
  if (order !== undefined && order !== 'sequenced' && order !== 'concurrent')
    throw usage(`A store has the order sequenced or concurrent; the URL says order=${order}.`)
  const user = url.username === '' ? '' : `${url.username}@`
  const shown = `postgres://${user}${url.host}${url.pathname}`
  return {
    kind: 'server',
    name: schema === undefined ? shown : `${shown}?schema=${encodeURIComponent(schema)}`,
    url: url.href,
    schema,
    views,
    order,
  }
}

/** A URL of PostgreSQL, or else the name of a file. */
export function placeOf(text: string): Place {
  if (scheme.test(text)) return serverPlace(text)
  const [, other] = otherScheme.exec(text) ?? []
  if (other === undefined) return filePlace(text)
  throw usage(
    `There is no store at ${other}://. A store is at a URL of postgres:// or postgresql://, or it is a file of SQLite, given by its path.`,
  )
}

/** That of the options, or else of the environment. */
export function chosenPlace({ db, store }: PlaceOptions): Place {
  if (db !== undefined && store !== undefined)
    throw usage('--db and --store do not go together: give one of them.')
  if (db !== undefined && scheme.test(db))
    throw usage('--db takes a file; give the URL by --store URL.')
  const told = db ?? store
  const text = told ?? (process.env['THENCE_STORE'] || process.env['THENCE_DB'])
  if (text !== undefined && text !== '') return placeOf(text)
  throw usage('Which store? Give --db FILE or --store URL, or set THENCE_DB or THENCE_STORE.')
}

/** The options that name it in a suggested command; nothing if the environment does. */
export const placeWords = (options: PlaceOptions): string => {
  if (options.db === undefined && options.store === undefined) return ''
  const place = chosenPlace(options)
  return ` ${options.db === undefined ? '--store' : '--db'} ${quoted(place.name)}`
}
