/**
 * A small hash of a text, the same on every machine and in every release: it decides which partition a key belongs to.
 */

/**
 * A whole number from 0 to 2^32 - 1. FNV-1a (draft-eastlake-fnv) over the two bytes of each UTF-16 unit, mixed once more so
 * that low bits are good too.
 */
export function hashOf(text: string): number {
  let hash = 0x811c_9dc5
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    hash = Math.imul(hash ^ (unit & 0xff), 0x0100_0193)
    hash = Math.imul(hash ^ (unit >> 8), 0x0100_0193)
  }
  // The finaliser of MurmurHash3 (A. Appleby, public domain).
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
