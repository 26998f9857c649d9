/**
 * A handler as a sink: it runs before the transaction, and what it asked for is written in the transaction.
 */
import type { Effect } from '../handle/context.ts'
import { collecting } from '../handle/context.ts'
import type { Handler } from '../handle/handler.ts'
import { withTimeout } from '../handle/timeout.ts'
import type { Recorded } from '../message/message.ts'
import { causedBy } from '../message/trace.ts'
import { keepLater, prepareLater } from '../store/later.ts'
import type { Tools, Writer } from '../store/writer.ts'
import { commandStream } from '../store/writer.ts'
import type { Sink } from './sink.ts'
import type { SubscriptionOptions } from './options.ts'

interface Enacting {
  readonly writer: Writer
  readonly tools: Tools
  readonly message: Recorded
}

const enact = async ({ writer, tools, message }: Enacting, effect: Effect): Promise<void> => {
  const parent = causedBy(message)
  if ('within' in effect) await effect.within(writer.transaction)
  else if ('messages' in effect)
    await writer.append({ stream: effect.stream, messages: effect.messages, parent })
  else
    for (const command of effect.commands) {
      const { due } = effect
      if (due === undefined)
        await writer.append({ stream: commandStream(command.type), messages: [command], parent })
      else await keepLater(writer.transaction, prepareLater({ command, due, parent }, tools))
    }
}

const sinkOf = (handler: Handler, tools: Tools): Sink => ({
  async prepare(message, { signal: outer, replaying }) {
    const limit = { what: `Handler ${handler.name}`, milliseconds: handler.timeout, outer }
    return withTimeout(tools.runtime, limit, async (signal) => {
      const { context, close } = collecting(signal, replaying)
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
      for (const effect of prepared as readonly Effect[])
        await enact({ writer, tools, message }, effect)
    },
  }),
})

/** The subscription of a handler. */
export function handlerSubscription(handler: Handler, tools: Tools): SubscriptionOptions {
  const { name, key, retry, classify, concurrency, partitions, from } = handler
  const { onFailure, breaker, rate } = handler
  return {
    name,
    types: handler.definitions.map(({ type }) => type),
    key: key ?? ((message) => message.stream),
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
