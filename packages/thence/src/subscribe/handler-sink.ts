/**
 * A handler as a sink: it runs before the transaction, and what it asked for is written in the transaction.
 */
import type { Effect } from '../handle/context.ts'
import { collecting } from '../handle/context.ts'
import type { Handler } from '../handle/handler.ts'
import { withTimeout } from '../handle/timeout.ts'
import { derivedId } from '../internal/derived-id.ts'
import type { Message, Recorded } from '../message/message.ts'
import { causedBy } from '../message/trace.ts'
import { keepLater, prepareLater } from '../store/later.ts'
import { lend } from '../store/turns.ts'
import type { Tools, Writer } from '../store/writer.ts'
import { commandStream } from '../store/writer.ts'
import type { Sink } from './sink.ts'
import type { SubscriptionOptions } from './options.ts'

interface Enacting {
  readonly writer: Writer
  readonly tools: Tools
  readonly message: Recorded
  readonly identify: <M extends Message>(stream: string, asked: M) => M
}

/**
 * Gives what a handler asks for an id that follows from its message: asked for again, in a replay, it is seen to be there
 * already. Numbered by stream and type, so that what a replay leaves out does not change the others.
 */
const identifier = (handler: string, { id, time }: Recorded): Enacting['identify'] => {
  const numbers = new Map<string, number>()
  return (stream, asked) => {
    if (asked.id !== undefined) return asked
    const kind = `${asked.type} ${stream}`
    const number = numbers.get(kind) ?? 0
    numbers.set(kind, number + 1)
    return { ...asked, id: derivedId(time, handler, id, kind, String(number)) }
  }
}

const enact = async (enacting: Enacting, effect: Effect): Promise<void> => {
  const { writer, tools, message, identify } = enacting
  const parent = causedBy(message)
  if ('within' in effect) await lend(writer.transaction, effect.within)
  else if ('messages' in effect) {
    const { stream } = effect
    const messages = effect.messages.map((one) => identify(stream, one))
    await writer.append({ stream, messages, parent })
  } else
    for (const one of effect.commands) {
      const { due } = effect
      const stream = commandStream(one.type)
      const command = identify(stream, one)
      if (due === undefined) await writer.append({ stream, messages: [command], parent })
      else await keepLater(writer.transaction, prepareLater({ command, due, parent }, tools))
    }
}

const sinkOf = (handler: Handler, tools: Tools): Sink => ({
  async prepare(message, { signal: outer, replaying }) {
    const limit = { what: `Handler ${handler.name}`, milliseconds: handler.timeout, outer }
    const idempotencyKey = `${handler.name}:${message.id}`
    return withTimeout(tools.runtime, limit, async (signal) => {
      const { context, close } = collecting(signal, { idempotencyKey, replaying })
      try {
        await handler.run(message, context)
      } finally {
        close()
      }
      return close()
    })
  },
  open: (writer) => ({
    async apply(message, prepared) {
      const identify = identifier(handler.name, message)
      for (const effect of prepared as readonly Effect[])
        await enact({ writer, tools, message, identify }, effect)
    },
  }),
})

/** The subscription of a handler. */
export function handlerSubscription(handler: Handler, tools: Tools): SubscriptionOptions {
  const { name, key, keyVersion, retry, classify, concurrency, partitions, from } = handler
  const { onFailure, breaker, rate } = handler
  return {
    name,
    types: handler.definitions.map(({ type }) => type),
    key: key ?? ((message) => message.stream),
    keyVersion,
    retry,
    rules: classify === undefined ? [] : [classify],
    onFailure,
    pace: { budget: retry.budget, breaker, rate },
    from,
    concurrency,
    partitions,
    batch: handler.maxInFlight,
    maxBytes: handler.maxBytes,
    sink: sinkOf(handler, tools),
  }
}
