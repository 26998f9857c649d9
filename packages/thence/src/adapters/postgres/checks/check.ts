/**
 * What the checks of a store's health share: how they are asked, and how findings are written.
 */
import type { Finding, FindingState } from '../../../ports/diagnosis.ts'
import type { Runtime } from '../../../ports/runtime.ts'
import type { Connection } from '../connection.ts'

export interface Asked {
  readonly connection: Connection
  readonly runtime: Runtime
}

/** Each looks in a transaction of its own, so that one that may not look spoils no other. */
export interface Check {
  readonly name: string
  readonly look: (asked: Asked) => Promise<readonly Finding[]>
}

/** Writes the findings of one check. */
export const findingsOf =
  (check: string) =>
  (state: FindingState, text: string, advice?: string): Finding => ({
    check,
    state,
    text,
    ...(advice !== undefined && { advice }),
  })

/** So many seconds, as people say it. */
export const span = (seconds: number): string => {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}

export const count = (value: number): string => value.toLocaleString('en-US')

/** A session of the server: what is needed to find the process behind it. */
export const sessionName = (pid: number, application: string, address: string): string =>
  `pid ${pid} (${[application || 'no name', address || 'local'].join(', ')})`
