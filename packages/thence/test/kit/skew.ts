// A process whose own clock goes wrong: everything else is that of the runtime it stands on.
import type { VirtualRuntime } from 'thence/testing'

/** `runtime` with a clock that differs from it by so many milliseconds; `by` may change. */
export const skewed = (runtime: VirtualRuntime, by: () => number): VirtualRuntime =>
  new Proxy(runtime, {
    get(target, name): unknown {
      if (name === 'now') return () => target.now() + by()
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
