/**
 * How what the classifier learnt lies in Redis. Pure.
 *
 *   PREFIX:{bayes}:numbers     hash: version of the tokens, bits, counts, revision, upkeep that was begun
 *   PREFIX:{bayes}:upkeep      who does the upkeep; runs out by itself
 *   PREFIX:{bayes}:t:N         hash, N below 2^bits: of each token with these upper bits of its number
 *                              the other bits (5 bytes) → day (16 bits), ham and spam (8, 16 or 32 bits each)
 *   PREFIX:{bayes}:m:N         hash, N below 4096: hash of a message → class, day (16 bits)
 *   PREFIX:{bayes}:waiting     list: what a message adds to ham and spam (8 bits each), day, tokens (7 bytes each)
 *   PREFIX:{bayes}:kept        hash: hash of a message → class, words (32 bits each)
 *   PREFIX:{bayes}:ham, :spam  sorted sets: day → hashes of the messages that are kept
 *
 * What is in braces puts all keys in one place where keys are spread over several.
 * A hash of at most 128 small fields lies in one piece of memory in Redis, without
 * a pointer a field: a token costs some 15 bytes. There are as many buckets as
 * keep them below that.
 */

export const TOKEN_BITS = 51
const REST_BYTES = 5
/** so that the rest has five bytes */
const LEAST_BITS = 11
/** half a million keys, for more tokens than anybody keeps */
export const MOST_BITS = 19
/** on average, where there are as many tokens as may be; some buckets have twice as many */
const BUCKET_TOKENS = 32
const MESSAGE_BUCKETS = 4096
const TOKEN_BYTES = 7
const LESSON_HEAD = 4
const CHANGE_BYTES = REST_BYTES + 4
const LOW_RANGE = 0x100000000

export function bitsFor(maxTokens: number): number {
  return Math.min(MOST_BITS, Math.max(LEAST_BITS, Math.ceil(Math.log2(maxTokens / BUCKET_TOKENS))))
}

export interface BayesKeys {
  readonly numbers: string
  readonly upkeep: string
  readonly waiting: string
  readonly kept: string
  /** days of the kept messages of a class */
  readonly ham: string
  readonly spam: string
  /** that all others begin with */
  readonly under: string
  readonly bucket: (number: number) => string
  readonly messages: (messageKey: Buffer) => string
  readonly messageBuckets: readonly string[]
}

export function bayesKeys(prefix: string): BayesKeys {
  const under = `${prefix}:{bayes}:`
  return {
    under, numbers: `${under}numbers`, upkeep: `${under}upkeep`, waiting: `${under}waiting`, kept: `${under}kept`, ham: `${under}ham`, spam: `${under}spam`,
    bucket: (number) => `${under}t:${number}`,
    messages: (key) => `${under}m:${key.readUInt16BE(0) % MESSAGE_BUCKETS}`,
    messageBuckets: Array.from({ length: MESSAGE_BUCKETS }, (_, at) => `${under}m:${at}`),
  }
}

/* --- tokens of a lesson --- */

export function packTokens(tokens: Float64Array): Buffer {
  const bytes = Buffer.allocUnsafe(tokens.length * TOKEN_BYTES)
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? 0
    bytes.writeUInt32LE(token % LOW_RANGE, at * TOKEN_BYTES)
    bytes.writeUIntLE(Math.floor(token / LOW_RANGE), at * TOKEN_BYTES + 4, 3)
  }
  return bytes
}

export interface Lesson {
  /** what it adds to the counts of each of its tokens */
  readonly ham: number
  readonly spam: number
  readonly day: number
  readonly tokens: Float64Array
}

/** What is none teaches nothing: it must not keep those behind it from being learnt. */
export function unpackLesson(bytes: Buffer): Lesson {
  const length = (bytes.length - LESSON_HEAD) / TOKEN_BYTES
  if (length < 0 || !Number.isInteger(length)) return { ham: 0, spam: 0, day: 0, tokens: new Float64Array(0) }
  const tokens = new Float64Array(length)
  for (let at = 0; at < length; at++) {
    const from = LESSON_HEAD + at * TOKEN_BYTES
    tokens[at] = bytes.readUIntLE(from + 4, 3) * LOW_RANGE + bytes.readUInt32LE(from)
  }
  return { ham: bytes.readInt8(0), spam: bytes.readInt8(1), day: bytes.readUInt16LE(2), tokens }
}

/* --- what lessons change --- */

export interface TokenChanges {
  /** in order, each once */
  readonly keys: Float64Array
  readonly ham: Int16Array
  readonly spam: Int16Array
  /** the latest of the lessons */
  readonly day: number
}

const KINDS = 4
const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const

/** @param lessons of 32767 or fewer messages */
export function changesOf(lessons: readonly Lesson[]): TokenChanges {
  const sorted = sortedChanges(lessons)
  const keys = new Float64Array(sorted.length)
  const ham = new Int16Array(sorted.length)
  const spam = new Int16Array(sorted.length)
  let count = 0
  for (const value of sorted) {
    const key = Math.floor(value / KINDS)
    if (count === 0 || keys[count - 1] !== key) keys[count++] = key
    const [moreHam, moreSpam] = STEPS[value % KINDS] ?? [0, 0]
    ham[count - 1] = (ham[count - 1] ?? 0) + moreHam
    spam[count - 1] = (spam[count - 1] ?? 0) + moreSpam
  }
  return { keys: keys.subarray(0, count), ham: ham.subarray(0, count), spam: spam.subarray(0, count), day: lessons.reduce((latest, { day }) => Math.max(latest, day), 0) }
}

/** Each change of each token as one number: the token, and in the lowest two bits what happens to it. */
function sortedChanges(lessons: readonly Lesson[]): Float64Array {
  const kindsOf = ({ ham, spam }: Lesson): readonly number[] => [ham > 0 ? 0 : ham < 0 ? 2 : -1, spam > 0 ? 1 : spam < 0 ? 3 : -1].filter((kind) => kind >= 0)
  const sorted = new Float64Array(lessons.reduce((sum, lesson) => sum + lesson.tokens.length * kindsOf(lesson).length, 0))
  let at = 0
  for (const lesson of lessons) {
    for (const kind of kindsOf(lesson)) for (const token of lesson.tokens) sorted[at++] = token * KINDS + kind
  }
  return sorted.sort()
}

/** The first place whose token comes after `done`. */
export function firstAfter({ keys }: TokenChanges, done: number): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? 0) <= done) low = middle + 1
    else high = middle
  }
  return low
}

export interface Packed {
  readonly bucket: number
  readonly bytes: Buffer
}

/** Changes of the tokens from one place up to another, each bucket's in one piece; those that come to nothing are left out. */
export function packChanges({ keys, ham, spam }: TokenChanges, { from, to, bits }: { readonly from: number; readonly to: number; readonly bits: number }): readonly Packed[] {
  return byBucket(keys.subarray(from, to), bits, (token, at) => {
    const [moreHam, moreSpam] = [ham[from + at] ?? 0, spam[from + at] ?? 0]
    if (moreHam === 0 && moreSpam === 0) return undefined
    const bytes = Buffer.allocUnsafe(CHANGE_BYTES)
    bytes.writeUIntBE(token, 0, REST_BYTES)
    bytes.writeInt16LE(moreHam, REST_BYTES)
    bytes.writeInt16LE(moreSpam, REST_BYTES + 2)
    return bytes
  })
}

/** @param keys in order */
export function packFields(keys: Float64Array, bits: number): readonly Packed[] {
  return byBucket(keys, bits, (token) => {
    const bytes = Buffer.allocUnsafe(REST_BYTES)
    bytes.writeUIntBE(token, 0, REST_BYTES)
    return bytes
  })
}

function byBucket(keys: Float64Array, bits: number, pack: (rest: number, at: number) => Buffer | undefined): readonly Packed[] {
  const range = 2 ** (TOKEN_BITS - bits)
  const packed: { bucket: number; pieces: Buffer[] }[] = []
  for (const [at, key] of keys.entries()) {
    const bytes = pack(key % range, at)
    if (bytes === undefined) continue
    const bucket = Math.floor(key / range)
    const last = packed.at(-1)
    if (last?.bucket === bucket) last.pieces.push(bytes)
    else packed.push({ bucket, pieces: [bytes] })
  }
  return packed.map(({ bucket, pieces }) => ({ bucket, bytes: Buffer.concat(pieces) }))
}

/* --- tokens as they are kept --- */

export interface HeldTokens {
  /** in order */
  readonly keys: Float64Array
  readonly ham: Uint32Array
  readonly spam: Uint32Array
  readonly days: Uint16Array
}

/** What a dump of buckets says, the first of which is `first`. Throws where it is none. */
export function unpackBuckets(bytes: Buffer, { first, bits }: { readonly first: number; readonly bits: number }): HeldTokens {
  const range = 2 ** (TOKEN_BITS - bits)
  const found: { key: number; at: number }[] = []
  for (let at = 0, bucket = first; at < bytes.length; bucket++) {
    let left = bytes.readUInt32LE(at)
    for (at += 4; left > 0; left--) {
      found.push({ key: bucket * range + bytes.readUIntBE(at, REST_BYTES), at: at + REST_BYTES })
      at += REST_BYTES + 1 + bytes.readUInt8(at + REST_BYTES)
    }
  }
  found.sort((one, other) => one.key - other.key)
  const held = { keys: new Float64Array(found.length), ham: new Uint32Array(found.length), spam: new Uint32Array(found.length), days: new Uint16Array(found.length) }
  for (const [i, { key, at }] of found.entries()) {
    const width = (bytes.readUInt8(at) - 2) / 2
    if (width !== 1 && width !== 2 && width !== 4) throw new Error('a token in Redis is damaged')
    held.keys[i] = key
    held.days[i] = bytes.readUInt16LE(at + 1)
    held.ham[i] = bytes.readUIntLE(at + 3, width)
    held.spam[i] = bytes.readUIntLE(at + 3 + width, width)
  }
  return held
}
