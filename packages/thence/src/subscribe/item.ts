/**
 * One message on its way through a subscription: decoded once, with its key, and with what went wrong so far.
 */
import type { ErrorKind } from '../errors.ts'
import { ThenceError } from '../errors.ts'
import { hashOf } from '../internal/hash.ts'
import type { Codec } from '../message/codec.ts'
import { shown } from '../message/expect.ts'
import type { Recorded } from '../message/message.ts'
import type { StoredMessage } from '../ports/events.ts'

/** A failure, wrapped, because anything can be thrown, `undefined` included. */
export interface Failure {
  readonly error: unknown
  /** What it stands for, if that is known already. */
  readonly kind?: ErrorKind
  /** It was the attempt that probed whether an outage is over: what it found out is not about the message. */
  readonly probe?: boolean
}

export interface Item {
  readonly stored: StoredMessage
  /** Messages with the same key are handled in order. */
  readonly key: string
  /** Of the key; it decides the partition. */
  readonly hash: number
  /** Absent if it could not be read: then there is a failure. */
  readonly message?: Recorded
  failure?: Failure
  /** It was left alone because an earlier message of its key failed or waits: it must wait behind that. */
  passedOver?: boolean
  /** Its call takes long: the checkpoint goes on, it waits in a row of its own, and what comes of the call ends that. */
  aside?: boolean
  prepared?: unknown
  /** It was done before, and is given to its handler again on purpose. */
  replaying?: boolean
  /** Which attempt it is; absent: the first. */
  attempt?: number
  /** Taken only if someone wants to know: how old it was when the attempt began, in milliseconds, … */
  waited?: number
  /** … when that was, by `elapsed`, … */
  start?: number
  /** … and how long it took. */
  took?: number
}

const maxKey = 512

/** Reads a message and its key; a message that cannot be read is a failure of its own, with its stream as the key. */
export function toItem(
  stored: StoredMessage,
  codec: Codec,
  key: (message: Recorded) => string,
): Item {
  try {
    const message = codec.decode(stored)
    return {
      stored,
      message,
      ...keyed(textOf(key(message), message).slice(0, maxKey).toWellFormed()),
    }
  } catch (error) {
    return { stored, ...keyed(stored.stream), failure: { error } }
  }
}

/** A key that is no text would keep no order. @throws NAME_INVALID */
const textOf = (key: unknown, { type }: Recorded): string => {
  if (typeof key === 'string') return key
  throw new ThenceError('NAME_INVALID', `key gave ${shown(key)} for ${type}; it must give a text.`)
}

const keyed = (key: string): Pick<Item, 'key' | 'hash'> => ({ key, hash: hashOf(key) })
