/**
 * How far the shop has come with its invoices. One history has one source and one seed, because
 * answers of two seeds in one history would be nobody's history.
 */
import { aggregate, reject } from 'thence'
import { InvoicesTraded, IntakeOpened, OpenIntake, RecordTraded } from './messages.ts'
import type { Source, Traded } from './messages.ts'

interface State {
  readonly opened: Source | null
  readonly traded: Traded
}

export const intake = aggregate('intake', {
  initial: (): State => ({ opened: null, traded: { invoices: 0, last: false } }),
  evolve: (on) =>
    on(IntakeOpened, (state, { data }) => ({ ...state, opened: data })).on(
      InvoicesTraded,
      (state, { data }) => ({ ...state, traded: data }),
    ),
  decide: (on) =>
    on(OpenIntake, ({ opened }, { data }) => {
      if (opened === null) return IntakeOpened(data)
      if (opened.source !== data.source)
        throw reject(
          'OTHER_SOURCE',
          `This history trades ${opened.name}, not ${data.name}. Give another --db.`,
        )
      if (opened.seed !== data.seed)
        throw reject(
          'OTHER_SEED',
          `This history was begun with --seed ${opened.seed}. Give the same, or another --db.`,
        )
      return []
    }).on(RecordTraded, ({ traded }, { data }) => {
      const further = data.invoices > traded.invoices || (data.last && !traded.last)
      return further ? InvoicesTraded(data) : []
    }),
  stream: () => 'shop',
})
