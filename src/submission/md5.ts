/**
 * MD5 (RFC 1321) from a given state on: what CRAM-MD5 secrets are kept as. The
 * states of HMAC-MD5 (RFC 2104) behind its two padded keys stand for the
 * password, and node:crypto cannot go on from a state. For nothing else.
 */

/** Four words, A to D. */
export type Md5State = readonly [number, number, number, number]

const INITIAL: Md5State = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]
const BLOCK = 64
const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
/** RFC 1321 §3.4 */
const SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

function compress(state: Md5State, block: Buffer): Md5State {
  let [a, b, c, d]: Md5State = state
  for (let i = 0; i < 64; i++) {
    const round = i >> 4
    const mixed = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d)
    const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] ?? 0
    const sum = (a + mixed + (SINES[i] ?? 0) + block.readInt32LE((word & 15) * 4)) | 0
    const shift = SHIFTS[round * 4 + (i & 3)] ?? 0
    ;[a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0]
  }
  return [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0]
}

/** The digest of `before` bytes, whose state is given, and `data`. */
export function md5From(state: Md5State, before: number, data: Buffer): Buffer {
  const padding = (BLOCK * 2 - 9 - ((before + data.length) % BLOCK)) % BLOCK
  const end = Buffer.alloc(1 + padding + 8)
  end[0] = 0x80
  end.writeBigUInt64LE(BigInt(before + data.length) * 8n, 1 + padding)
  const all = Buffer.concat([data, end])
  let now = state
  for (let at = 0; at < all.length; at += BLOCK) now = compress(now, all.subarray(at, at + BLOCK))
  return bytesOf(now)
}

export function md5(data: Buffer): Buffer {
  return md5From(INITIAL, 0, data)
}

/** HMAC's states behind the outer and the inner padded key, 16 bytes each: the form of Dovecot's {CRAM-MD5}. */
export function hmacContexts(key: Buffer): Buffer {
  const padded = Buffer.alloc(BLOCK)
  const short = key.length > BLOCK ? md5(key) : key
  short.copy(padded)
  return Buffer.concat([0x5c, 0x36].map((pad) => bytesOf(compress(INITIAL, Buffer.from(padded.map((byte) => byte ^ pad))))))
}

/** @param contexts 32 bytes of `hmacContexts` */
export function hmacFromContexts(contexts: Buffer, message: Buffer): Buffer {
  return md5From(stateOf(contexts.subarray(0, 16)), BLOCK, md5From(stateOf(contexts.subarray(16)), BLOCK, message))
}

function stateOf(bytes: Buffer): Md5State {
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)]
}

function bytesOf(state: Md5State): Buffer {
  const bytes = Buffer.alloc(16)
  for (const [i, word] of state.entries()) bytes.writeInt32LE(word, i * 4)
  return bytes
}
