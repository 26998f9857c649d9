/**
 * What the store tells of appends, as signals.
 */
import type { Signals } from '../observe/signals.ts'
import type { Watch } from '../store/watch.ts'

export function watchOf(signals: Signals): Watch {
  return {
    get wantsCommits() {
      return signals.wants('messages-appended')
    },
    committed: (commit) => signals.emitFrequent({ name: 'messages-appended', ...commit }),
    repeated(stream, position) {
      if (signals.wants('append-repeated'))
        signals.emitFrequent({ name: 'append-repeated', stream, position })
    },
    refused(stream, why) {
      if (signals.wants('append-refused'))
        signals.emitFrequent({ name: 'append-refused', stream, why })
    },
  }
}
