/**
 * All migrations in order. One that was released is never changed; the next one is added.
 */
import type { Migration } from '../../../ports/database.ts'
import { tables } from './0001-tables.ts'
import { append } from './0002-append.ts'
import { concurrent } from './0003-concurrent.ts'
import { views } from './0004-views.ts'

export const migrations: readonly Migration[] = [tables, append, concurrent, views]
