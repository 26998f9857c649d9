/**
 * Where a process knows that the log ends, and up to where it has seen that it can be read: what was committed may stand above an append
 * of somebody else's that is still open, and can be read only when that has ended.
 */
import type { Commit } from '../store/writer.ts'
import { isUnbroken } from '../store/writer.ts'

export class LogEnd {
  #known = 0
  #settled = 0

  /** What was committed goes up to here. */
  get known(): number {
    return this.#known
  }

  /** This process has committed something. */
  committed(commit: Commit): void {
    this.#known = Math.max(this.#known, commit.to)
    if (commit.from === this.#settled + 1 && isUnbroken(commit)) this.#settled = commit.to
  }

  /** It is said that it can be read up to there; gives whether that is news. */
  heard(head: number): boolean {
    if (head <= this.#settled) return false
    this.#known = Math.max(this.#known, head)
    this.#settled = head
    return true
  }

  /** It was read up to there; gives whether others have added to it, or have ended what it waited for. */
  read(head: number): boolean {
    const isNews = head !== this.#settled
    this.#known = head
    this.#settled = head
    return isNews
  }
}
