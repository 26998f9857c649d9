/**
 * What a server must be like for the promises of a store to hold on it.
 */
import { ThenceError } from '../../errors.ts'
import type { Connection } from './connection.ts'

const oldest = 14

const settings =
  "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), " +
  "current_setting('default_transaction_isolation'), current_setting('synchronous_commit'), " +
  "current_setting('application_name')"

/** What of a session matters further on. */
export interface ServerSession {
  /** Whether the pool gave it one. */
  readonly named: boolean
}

/** @throws CONFIG_INVALID with what to change. */
export async function checkServer(
  connection: Connection,
  synchronous: 'on' | 'off',
): Promise<ServerSession> {
  const row = await connection.get<[number, string, string, string, string]>(settings)
  const [version, encoding, isolation, commits, name] = row!
  const refuse = (text: string): never => {
    throw new ThenceError('CONFIG_INVALID', text)
  }
  if (version < oldest * 10_000)
    refuse(
      `The server is PostgreSQL ${Math.floor(version / 10_000)}; Thence needs ${oldest} or newer.`,
    )
  if (encoding !== 'UTF8')
    refuse(`The database is encoded as ${encoding}; messages would not come back. Use one in UTF8.`)
  if (isolation !== 'read committed')
    refuse(
      `default_transaction_isolation is ${isolation}; appends need "read committed". ` +
        'Set it for the role that Thence uses.',
    )
  if (commits === 'off' && synchronous === 'on')
    refuse(
      'synchronous_commit is off: a crash of the server may take commits that were confirmed. ' +
        "Set it on for the role that Thence uses, or accept it with synchronous: 'off'.",
    )
  return { named: name !== '' }
}
