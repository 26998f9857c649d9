/** Whether a message matches a query over types and tags (dcb.events). */
import type { NewMessage, Query, QueryItem } from '../../ports/events.ts'

const matchesItem = ({ types, tags }: QueryItem, message: NewMessage): boolean =>
  (types === undefined || types.includes(message.type)) &&
  (tags === undefined || tags.every((tag) => message.tags.includes(tag)))

/** An empty query matches every message. */
export const matches = (query: Query, message: NewMessage): boolean =>
  query.length === 0 || query.some((item) => matchesItem(item, message))
