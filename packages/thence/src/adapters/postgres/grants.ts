/**
 * What roles other than the owner of the schema need: an app what it writes and no more, a reader nothing but to look. The owner,
 * who migrates, needs neither.
 */
import { Texts } from './texts.ts'

export interface Roles {
  /** The schema of the store; default `thence`. */
  readonly schema?: string
  /** That of the tables of its views; default the other with `_views`. */
  readonly views?: string
  /** The role of the processes of the app. */
  readonly app?: string
  /** A role that may look, for example for `thence status`. */
  readonly reader?: string
}

/** What an app never changes, though it reads it. */
const read = ['migrations', 'meta']
/** What it adds to and removes from, and never alters. */
const added = ['events', 'tags']
const written = [
  'audit',
  'checkpoints',
  'dead_letters',
  'documents',
  'head',
  'inbox',
  'jobs',
  'leases',
  'measured',
  'members',
  'retries',
  'sizes',
  'snapshots',
  'timers',
  'trimmed',
  'truncated',
]

const tables = (names: readonly string[]): string =>
  names.map((name) => `thence.${name}`).join(', ')

const quoted = (role: string): string => `"${role.replaceAll('"', '""')}"`

const looking: readonly string[] = [
  'GRANT USAGE ON SCHEMA thence TO',
  'GRANT SELECT ON ALL TABLES IN SCHEMA thence TO',
  'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA thence TO',
]
const writing: readonly string[] = [
  'REVOKE ALL ON ALL TABLES IN SCHEMA thence FROM',
  'REVOKE ALL ON ALL SEQUENCES IN SCHEMA thence FROM',
  ...looking,
  'GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA thence TO',
  `GRANT INSERT, DELETE ON ${tables(added)} TO`,
  `GRANT INSERT, UPDATE, DELETE ON ${tables(written)} TO`,
  // Tables of views are made by the app.
  'GRANT USAGE, CREATE ON SCHEMA thence_views TO',
]

/** Every table that the roles are told of. */
export const grantedTables: readonly string[] = [...read, ...added, ...written]

/**
 * The SQL that gives roles what they need and takes what they don't, for the owner of the schema to run after each migration.
 * @throws CONFIG_INVALID if the schema cannot have that name.
 */
export function grants({ schema = 'thence', views, app, reader }: Roles): string {
  const texts = new Texts(schema, views)
  const to = (role: string, lines: readonly string[]): readonly string[] =>
    lines.map((line) => `${texts.of(line)} ${quoted(role)};`)
  return [
    ...(app === undefined ? [] : to(app, writing)),
    ...(reader === undefined
      ? []
      : to(reader, [...looking, 'GRANT USAGE ON SCHEMA thence_views TO'])),
  ].join('\n')
}
