/**
 * All rows, in the order in which they are told.
 */
import { append1, append64 } from './append.ts'
import type { Row } from './bench.ts'
import { follow } from './follow.ts'
import { read } from './read.ts'
import { sagas } from './saga.ts'

export const rows: readonly Row[] = [append64, append1, read, follow, sagas]
