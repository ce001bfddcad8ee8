/**
 * Windows by their hashes: a bit for each says that there is none of this hash,
 * which is so of most. Those of some bits side by side are one bucket.
 */

/** Bits for each window, so that few are there for none. */
const SPARSE = 32
const LEAST_HASH_BITS = 10
const MOST_HASH_BITS = 19
/** Of a hash, those that say which one of a bucket's bits it is. */
export const BUCKET_BITS = 4

export interface Hashed {
  /** of a hash of 32 bits as many are left as say which bit is its */
  readonly shift: number
  readonly bits: Int32Array
  /** among the buckets of all, the first of these */
  readonly first: number
}

export const NO_WINDOWS: Hashed = { shift: 31, bits: new Int32Array(1), first: 0 }

/** Room for so many windows. */
export function hashed(windows: number, first: number): Hashed {
  const bits = Math.min(MOST_HASH_BITS, Math.max(LEAST_HASH_BITS, Math.ceil(Math.log2(windows * SPARSE + 1))))
  return { shift: 32 - bits, bits: new Int32Array(2 ** (bits - 5)), first }
}

export function behindBuckets({ shift, first }: Hashed): number {
  return first + 2 ** (32 - shift - BUCKET_BITS)
}

/** Its bucket. */
export function markBit({ shift, bits, first }: Hashed, hash: number): number {
  const bit = hash >>> shift
  bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31))
  return first + (bit >>> BUCKET_BITS)
}
