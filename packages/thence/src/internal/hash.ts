/**
 * A small hash of a text, the same on every machine and in every release: it decides which partition a key belongs to.
 */

const encoder = new TextEncoder()

/** A whole number from 0 to 2^32 - 1. FNV-1a over the UTF-8 bytes (draft-eastlake-fnv), mixed once more so that low bits are good too. */
export function hashOf(text: string): number {
  let hash = 0x811c_9dc5
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x0100_0193)
  // The finaliser of MurmurHash3 (A. Appleby, public domain).
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
