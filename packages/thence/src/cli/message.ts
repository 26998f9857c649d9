/**
 * Messages as text: one to a line, or one with everything.
 */
import type { MessageView } from '../message/view.ts'
import type { Cell } from './table.ts'
import { columns, fields, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, iso, json, line, relative } from './text.ts'

const rowOf = (message: MessageView, place: string): readonly Cell[] => [
  place,
  iso(message.time),
  message.type,
  message.id,
  json(message.data),
]

/** The messages of one stream. */
export function streamTable(
  terminal: Terminal,
  messages: readonly MessageView[],
): readonly string[] {
  return table(
    terminal,
    columns('>VERSION', '>POSITION', 'TIME', 'TYPE', 'ID', 'DATA…'),
    messages.map((one) => [count(one.version), ...rowOf(one, count(one.position))]),
  )
}

/** One message on a line, in columns that stay where they are while lines are added. */
export function messageLine(terminal: Terminal, message: MessageView): string {
  const { position, time, type, stream, data } = message
  const place = count(position).padStart(9)
  const before = `${place}  ${iso(time)}  ${line(type).padEnd(28)}  ${line(stream).padEnd(24)}  `
  const room = Math.max(20, terminal.width - before.length)
  return `${terminal.paint('dim', place)}${before.slice(place.length)}${line(json(data), room)}`
}

/** Everything about one message. */
export function messageText(
  terminal: Terminal,
  message: MessageView,
  now: number,
): readonly string[] {
  const { type, kind, stream, version, schemaVersion, position, id, time } = message
  const { correlationId, causationId, tags, metadata, data } = message
  return [
    `${terminal.paint('bold', line(type))}  ${kind}, schema version ${schemaVersion}`,
    ...fields(terminal, [
      ['position', count(position)],
      ['id', id],
      ['stream', `${stream}, version ${count(version)}`],
      ['time', `${iso(time)} (${relative(time, now)})`],
      ['correlation', correlationId],
      ['causation', causationId ?? undefined],
      ['tags', tags.length === 0 ? undefined : tags.join(', ')],
      ['metadata', metadata === null ? undefined : json(metadata)],
    ]),
    terminal.paint('dim', 'data'),
    json(data, 2),
  ]
}
