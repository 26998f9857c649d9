/** How long what strikes takes, in milliseconds, from how hard it strikes. */

/** Several even numbers out of one, each from [0, 1). */
const part = (size: number, index: 1 | 2 | 3): number => (size * 97 ** index) % 1

/** Until a caller gives up who hears nothing. */
export const patience = (size: number): number => 20 + 1500 * part(size, 1)

/** Until a request arrives whose caller has given up before. */
export const lateness = (size: number): number => patience(size) + 20 + 2000 * part(size, 2)

export const slowness = (size: number): number => 5 + 1500 * size ** 2

export const pauseLength = (size: number): number => 50 + 9000 * size ** 2

/** Until the database notices that a client is gone, and rolls back what it had open. */
export const detection = (size: number): number => Math.max(0, 2500 * (part(size, 3) - 0.6))

/** Until a process is started again. */
export const downtime = (size: number): number => 10 + 2500 * part(size, 1) ** 2

/** How far a clock jumps, forwards or back. */
export const clockStep = (size: number): number => (part(size, 1) - 0.5) * 8000

/** How wrong a clock is at first. */
export const clockError = (size: number): number => (size - 0.5) * 2000
