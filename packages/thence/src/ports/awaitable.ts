/** A value now or later: a synchronous database answers at once, a networked one with a promise. */
export type Awaitable<T> = T | Promise<T>
