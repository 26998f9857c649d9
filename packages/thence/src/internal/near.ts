/**
 * The names that somebody may have meant who wrote another one.
 */

/** How many letters must change to make one text the other. */
const distance = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same))
    }
    row = next
  }
  return row[right.length]!
}

/** The names that a person may have meant, nearest first; at most three. */
export function near(name: string, names: Iterable<string>): readonly string[] {
  const wanted = name.slice(0, 64).toLowerCase()
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  const scored: { readonly known: string; readonly score: number }[] = []
  for (const known of names) {
    const text = known.slice(0, 64).toLowerCase()
    const related =
      Math.min(wanted.length, text.length) > 2 && (text.includes(wanted) || wanted.includes(text))
    const score = related ? 1 : distance(wanted, text)
    if (score <= limit) scored.push({ known, score })
  }
  return scored
    .sort((left, right) => left.score - right.score)
    .slice(0, 3)
    .map(({ known }) => known)
}

/** A sentence that asks whether one of them was meant, with a space before it; empty if nothing is near. */
export function meant(name: string, names: Iterable<string>): string {
  const close = near(name, names)
  return close.length === 0 ? '' : ` Did you mean ${close.join(' or ')}?`
}
