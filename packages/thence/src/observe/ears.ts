/**
 * What is counted of each signal. A signal without an ear here, and without a place in the list of those that are not
 * counted, does not compile.
 */
import type { Board } from './board.ts'
import type { Listener, SignalName } from './signals.ts'

/** Signals of which no figure is made: each is the beginning, the end or a detail of something that is counted. */
type Uncounted =
  | 'breaker-closed'
  | 'breaker-half-opened'
  | 'history-truncated'
  | 'key-replaced'
  | 'message-begun'
  | 'message-returned'
  | 'rebuild-finished'
  | 'rebuild-started'
  | 'saga-stepped'
  | 'stop-unfinished'
  | 'store-failing'
  | 'store-recovered'
  | 'subscription-paused'
  | 'subscription-recovered'
  | 'subscription-resumed'
  | 'types-gained'
  | 'types-missing'
  | 'view-switched'

type Counted = Exclude<SignalName, Uncounted>

/** One ear for each signal that is counted. */
export type Ears = { readonly [N in Counted]: Listener<N> }

const appendEars = ({ appends, appended, commands }: Board) => {
  const all = appends.of()
  return {
    'messages-appended': ({ from, to, types, waited, took }) => {
      const messages = to - from + 1
      all.count('messages', messages)
      all.count('commits')
      all.record('batch', messages)
      all.record('took', took)
      all.record('waited', waited)
      for (const [type, count] of types) appended.of(type).count('messages', count)
    },
    'append-repeated': () => all.count('repeated'),
    'append-refused': ({ why }) => all.count(why === 'conflict' ? 'conflicts' : 'refused'),
    'command-decided': ({ aggregate, type, tries, took }) => {
      const own = commands.of(aggregate, type)
      own.count('decided')
      own.count('repeated', tries - 1)
      own.record('took', took)
    },
    'command-refused': ({ aggregate, type, tries, took }) => {
      const own = commands.of(aggregate, type)
      own.count('refused')
      own.count('repeated', tries - 1)
      own.record('took', took)
    },
  } satisfies Partial<Ears>
}

const messageEars = ({ messages }: Board) =>
  ({
    'message-handled': ({ subscription, type, latency, took }) => {
      const own = messages.of(subscription, type)
      own.count('handled')
      own.record('latency', latency)
      own.record('took', took)
    },
    'message-failed': ({ subscription, type }) => messages.of(subscription, type).count('failed'),
    'message-parked': ({ subscription, type }) => {
      const own = messages.of(subscription, type)
      own.count('failed')
      own.count('parked')
    },
    'message-skipped': ({ subscription, type }) => {
      const own = messages.of(subscription, type)
      own.count('failed')
      own.count('skipped')
    },
    'message-resolved': ({ subscription, type }) =>
      messages.of(subscription, type).count('resolved'),
    'message-queued': ({ subscription, type }) => messages.of(subscription, type).count('queued'),
    'message-set-aside': ({ subscription, type }) =>
      messages.of(subscription, type).count('setAside'),
  }) satisfies Partial<Ears>

const subscriptionEars = ({ subscriptions, leases }: Board) =>
  ({
    'checkpoint-moved': ({ subscription, messages }) => {
      const own = subscriptions.of(subscription)
      own.count('pages')
      own.record('page', messages)
    },
    'subscription-failed': ({ subscription }) =>
      subscriptions.of(subscription).count('storeFailures'),
    'lease-taken': () => leases.of().count('taken'),
    'lease-released': () => leases.of().count('released'),
    'breaker-opened': ({ subscription }) => subscriptions.of(subscription).count('outages'),
    'lease-lost': () => leases.of().count('lost'),
  }) satisfies Partial<Ears>

const otherEars = ({ sagas, timers, snapshots }: Board) =>
  ({
    'saga-started': ({ saga }) => sagas.of(saga).count('started'),
    'saga-ended': ({ saga, outcome, lasted }) => {
      sagas.of(saga).count(outcome)
      sagas.of(saga).record('lasted', lasted)
    },
    'timer-fired': ({ late }) => {
      timers.of().count('fired')
      timers.of().record('late', late)
    },
    'timer-failed': () => timers.of().count('failed'),
    'timer-parked': () => {
      timers.of().count('failed')
      timers.of().count('parked')
    },
    'schedule-skipped': ({ slots }) => timers.of().count('skipped', slots ?? 1),
    'snapshot-taken': ({ took }) => {
      snapshots.of().count('taken')
      snapshots.of().record('took', took)
    },
    'snapshot-failed': () => snapshots.of().count('failed'),
  }) satisfies Partial<Ears>

const storeEars = ({ jobs, retention, upkeep }: Board) =>
  ({
    'job-failed': ({ kind }) => jobs.of(kind).count('failed'),
    'job-ended': ({ kind, state }) => jobs.of(kind).count(state === 'done' ? 'done' : 'stopped'),
    'retention-run': ({ removed, held, took }) => {
      const all = retention.of()
      all.count('runs')
      all.count('removed', removed)
      all.count('held', held)
      all.record('took', took)
    },
    'retention-failed': () => retention.of().count('failed'),
    'upkeep-failed': ({ what }) => upkeep.of(what).count('failed'),
  }) satisfies Partial<Ears>

/** What raises the figures of a board. */
export const earsOf = (board: Board): Ears => ({
  ...appendEars(board),
  ...messageEars(board),
  ...subscriptionEars(board),
  ...otherEars(board),
  ...storeEars(board),
})
