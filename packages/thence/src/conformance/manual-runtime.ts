/**
 * A runtime whose clock stands still until it is told to advance, so that no case waits for time to pass. Its ids and
 * numbers repeat from run to run.
 */
import type { Cancel, Runtime } from '../ports/runtime.ts'

interface Plan {
  readonly due: number
  readonly callback: () => void
}

const digits = (value: number, length: number): string => value.toString(16).padStart(length, '0')

export class ManualRuntime implements Runtime {
  #now = Date.UTC(2026, 0, 1)
  #elapsed = 0
  #ids = 0
  #seed = 1
  #idTime = 0
  #plans: Plan[] = []

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#elapsed
  }

  /** Park and Miller's generator: plain, and the same everywhere. */
  random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647
    return (this.#seed - 1) / 2_147_483_646
  }

  id(): string {
    // The clock may step back; ids still sort by creation.
    this.#idTime = Math.max(this.#idTime, this.#now)
    const time = digits(this.#idTime, 12)
    const count = digits((this.#ids += 1), 12)
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count}`
  }

  after(milliseconds: number, callback: () => void): Cancel {
    const plan = { due: this.#now + milliseconds, callback }
    this.#plans.push(plan)
    return () => {
      this.#plans = this.#plans.filter((other) => other !== plan)
    }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** Lets time pass: whatever falls due runs, in order of time. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (let plan = this.#next(until); plan !== undefined; plan = this.#next(until)) {
      const ran = plan
      this.#plans = this.#plans.filter((other) => other !== ran)
      this.#pass(ran.due)
      ran.callback()
    }
    this.#pass(until)
  }

  #pass(until: number): void {
    const passed = Math.max(0, until - this.#now)
    this.#now += passed
    this.#elapsed += passed
  }

  #next(until: number): Plan | undefined {
    const due = this.#plans.filter((plan) => plan.due <= until)
    return due.reduce<Plan | undefined>(
      (first, plan) => (first && first.due <= plan.due ? first : plan),
      undefined,
    )
  }
}
