/** For tests and small inputs: everything an iterable gives, held in memory at once. */

/** What `Array.fromAsync` does, which the language version compiled for does not know yet. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
