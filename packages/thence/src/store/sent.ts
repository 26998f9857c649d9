/**
 * What is known of the id of a command that is sent again: its outcome, if it is the same command, and a refusal if it is
 * another one, whichever way the first has come.
 */
import { issue } from '../message/codec.ts'
import type { AnyDefinition } from '../message/define.ts'
import type { CommandMessage, Issued } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import type { NewMessage, Once } from '../ports/events.ts'
import type { Remembered } from '../ports/inbox.ts'
import { laterId } from './later.ts'
import { digestOf, requireSame } from './said.ts'

/** A command as its sender gave it, and as its schema made it. */
export interface Sent {
  readonly message: CommandMessage
  readonly command: Issued
}

const digestOfSent = ({ message, command }: Sent): string | undefined => {
  const { type, schemaVersion, data } = command
  return digestOf({ type, schemaVersion, data, given: message.data })
}

/** What makes the command happen once; undefined if its sender gave it no id: only such a one can come twice. */
export function onceOf(consumer: string, sent: Sent): Once | undefined {
  const { id } = sent.message
  if (id === undefined) return undefined
  const digest = digestOfSent(sent)
  return digest === undefined ? { consumer, id } : { consumer, id, digest }
}

type Waiting = Pick<NewMessage, 'type' | 'schemaVersion' | 'data'> & { readonly stream: string }

/** The command that waits for its time under an id. */
const waitingFor = async ({ timers }: Transaction, id: string): Promise<readonly Waiting[]> => {
  const timer = await timers.find(laterId(id))
  return timer === undefined ? [] : [{ ...timer.message, stream: timer.stream }]
}

/** The command that was recorded under an id: a decision may give its event the id of the command. */
const recordedAs = async ({ events }: Transaction, id: string): Promise<readonly Waiting[]> =>
  (await events.find({ id })).filter(({ kind }) => kind === 'command')

const requireAll = (known: readonly Waiting[], id: string, digest: string | undefined): void => {
  for (const { type, schemaVersion, data, stream } of known)
    requireSame({ stream, id }, digestOf({ type, schemaVersion, data: JSON.parse(data) }), digest)
}

/**
 * The outcome of a command that was done before; undefined if it was not. Where the inbox does not know what was done, the log
 * does, as long as it has the command.
 * @throws MESSAGE_ID_REUSED if it was another command, or if another one waits under its id.
 */
export async function recallSame(
  transaction: Transaction,
  { consumer, id, digest }: Once,
  command: Issued,
): Promise<Remembered | undefined> {
  const done = await transaction.inbox.recall(consumer, id)
  if (done?.digest !== undefined)
    requireSame({ stream: done.stream, id }, done.digest, digest ?? digestOf(command))
  else if (digest !== undefined) {
    requireAll(await waitingFor(transaction, id), id, digest)
    requireAll(await recordedAs(transaction, id), id, digest)
  }
  return done
}

/** @throws MESSAGE_ID_REUSED if another command waits for its time under the id that the sender gave this one. */
export async function refuseWaiting(
  transaction: Transaction,
  message: CommandMessage,
  definition: AnyDefinition,
): Promise<void> {
  const { id } = message
  if (id === undefined) return
  const waiting = await waitingFor(transaction, id)
  if (waiting.length === 0) return
  requireAll(waiting, id, digestOfSent({ message, command: issue(definition, message, { id }) }))
}
