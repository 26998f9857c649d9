/**
 * Shows on stderr how far a long job is: a bar that redraws itself on a terminal, else a plain
 * line every few seconds, so that logs stay readable. It has no timer of its own: it draws, at
 * most, when it is told of progress, and never keeps a process alive.
 */

/** The part of `process.stderr` that is needed. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressOptions {
  readonly label: string
  /** What `done` reaches at the end, in the same unit. */
  readonly total: number
  /** Writes an amount of the unit, e.g. `megabytes`. Default: `count`. */
  readonly format?: (amount: number) => string
  /** Default: `process.stderr`. */
  readonly output?: ProgressOutput
  /** Milliseconds from any fixed point. Default: `performance.now`. */
  readonly now?: () => number
}

export interface Progress {
  /** Tells how far it is and, if wanted, a few words to show behind it. Cheap to call often. */
  update(done: number, note?: string): void
  /** Shows where it stopped, whether or not it got to the end, and ends the bar's line. */
  stop(): void
}

const REDRAW_MILLIS = 100
const LINE_MILLIS = 5_000
const BAR_WIDTH = 24

/** Starts the clock. Throws RangeError if the total is negative or no number. */
export function progress(options: ProgressOptions): Progress {
  const { total, output = process.stderr, now = () => performance.now() } = options
  if (!(total >= 0)) throw new RangeError(`the total is ${total}: it must be zero or more`)
  const tty = output.isTTY === true
  const every = tty ? REDRAW_MILLIS : LINE_MILLIS
  const startedAt = now()
  let drawnAt = startedAt
  let state: State = { done: 0, note: undefined, seconds: 0 }
  let stopped = false

  const draw = (): void => {
    if (!tty) output.write(`${textOf(options, state)}\n`)
    else output.write(`\r\u001B[K${barOf(options, state).slice(0, (output.columns ?? 80) - 1)}`)
  }
  return {
    update(done, note) {
      if (stopped) return
      const at = now()
      state = { done: Math.min(done, total), note, seconds: (at - startedAt) / 1000 }
      if (at - drawnAt < every) return
      drawnAt = at
      draw()
    },
    stop() {
      if (stopped) return
      stopped = true
      state = { ...state, seconds: (now() - startedAt) / 1000 }
      draw()
      if (tty) output.write('\n')
    },
  }
}

interface State {
  readonly done: number
  readonly note: string | undefined
  readonly seconds: number
}

function barOf(options: ProgressOptions, state: State): string {
  const filled = Math.floor(share(options.total, state.done) * BAR_WIDTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  return textOf({ ...options, label: `${options.label} ${bar}` }, state)
}

/** `orders 42 %  3.2/7.6 MB  0.5 MB/s  0:08 left  10,950 invoices`. */
function textOf({ label, total, format = count }: ProgressOptions, state: State): string {
  const { done, note, seconds } = state
  const percent = Math.floor(share(total, done) * 100)
  const rate = seconds > 0 ? done / seconds : 0
  const time = done >= total ? `in ${clock(seconds)}` : `${left(total - done, rate)} left`
  const parts = [
    `${label} ${percent} %`,
    `${format(done)} of ${format(total)}`,
    `${format(rate)}/s`,
    time,
    ...(note === undefined ? [] : [note]),
  ]
  return parts.join('  ')
}

function share(total: number, done: number): number {
  return total === 0 ? 1 : done / total
}

function left(rest: number, rate: number): string {
  return rate > 0 ? clock(Math.ceil(rest / rate)) : '?'
}

/** `0:08`, `12:30` or `1:02:03`. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  const two = (amount: number): string => String(amount).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  if (hours > 0) return `${hours}:${two(minutes)}:${two(whole % 60)}`
  return `${minutes}:${two(whole % 60)}`
}

/** `10950` → `10,950`; below ten with one decimal, which slow rates need. */
export function count(amount: number): string {
  const digits = amount > 0 && amount < 10 && !Number.isInteger(amount) ? 1 : 0
  return amount.toFixed(digits).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** Bytes in millions: `7560905` → `7.6 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
