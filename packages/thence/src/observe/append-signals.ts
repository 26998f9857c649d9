/**
 * What becomes of appends and commands, at the front of the log.
 */

export type AppendSignal =
  /** A commit of this process has added messages to the log, those at positions `from` to `to`. */
  | {
      readonly name: 'messages-appended'
      readonly from: number
      readonly to: number
      /** How many of each type. */
      readonly types: ReadonlyMap<string, number>
      /** How many appends shared the commit. */
      readonly appends: number
      /** Milliseconds from the first append of the commit to its beginning; 0 inside of a transaction. */
      readonly waited: number
      /** Milliseconds that the commit took, or the whole transaction. */
      readonly took: number
    }
  /** An append came again with the same ids: nothing was written, and the first result was given. */
  | { readonly name: 'append-repeated'; readonly stream: string; readonly position: number }
  /** An append was refused; whoever asked for it is told, and may read and decide again. */
  | {
      readonly name: 'append-refused'
      readonly stream: string
      readonly why: 'conflict' | 'condition-failed' | 'id-reused' | 'tombstoned'
    }
  /** An aggregate has decided a command that was sent to it, and the events, if any, are committed. */
  | ({ readonly name: 'command-decided'; readonly events: number } & CommandSignal)
  /** A command was refused, or its decision failed. */
  | ({ readonly name: 'command-refused'; readonly error: unknown } & CommandSignal)

interface CommandSignal {
  readonly aggregate: string
  readonly type: string
  readonly id: string
  /** How often it was decided; more than 1 after conflicts. */
  readonly tries: number
  /** Milliseconds, from the call to the answer. */
  readonly took: number
}
