/**
 * Unpacks deflated bytes (RFC 1951) within what one message may unpack. A stream
 * that is cut off gives its first part; one that is broken gives what came
 * before, or nothing. Never throws.
 */
import { constants, inflateRawSync } from 'node:zlib'
import { MAX_ARCHIVE_ENTRIES, MAX_HEAD_BYTES, MAX_STORED_BYTES, MAX_UNPACKED_BYTES } from '../bounds.ts'

export interface Unpacked {
  readonly bytes: Buffer
  /** there is more */
  readonly more: boolean
}

const NOTHING: Unpacked = { bytes: Buffer.alloc(0), more: false }
/** Deflate makes at most so many bytes of one (RFC 1951: 258 of two bits). */
const MAX_RATIO = 1032
/** The head of an entry: so many packed bytes, which may become so many. */
const HEAD_INPUT_BYTES = 512
const HEAD_ROOM_BYTES = 16_384
/** What a call costs beside its bytes: 200 entries of nothing are work too. */
const CALL_COST = 1024

export class UnpackBudget {
  private bytesLeft = MAX_UNPACKED_BYTES
  private entriesLeft = MAX_ARCHIVE_ENTRIES
  private storedLeft = MAX_STORED_BYTES

  /** false: enough entries were looked at. */
  takeEntry(): boolean {
    if (this.entriesLeft <= 0) return false
    this.entriesLeft--
    return true
  }

  /** An entry that is stored as it is: all of it, or, where entries lie over each other and enough was given, its head. */
  stored(bytes: Buffer): Unpacked {
    if (bytes.length > this.storedLeft) return { bytes: bytes.subarray(0, MAX_HEAD_BYTES), more: bytes.length > MAX_HEAD_BYTES }
    this.storedLeft -= bytes.length
    return { bytes, more: false }
  }

  /** Enough of what a stream unpacks to for its type to be told. */
  head(packed: Buffer): Unpacked {
    const whole = this.attempt(packed.subarray(0, HEAD_INPUT_BYTES), HEAD_ROOM_BYTES)
    // zlib gives nothing of what is too long: so little is put in that it must fit.
    const bytes = whole === 'too-long' ? this.attempt(packed.subarray(0, Math.floor(HEAD_ROOM_BYTES / MAX_RATIO)), HEAD_ROOM_BYTES) : whole
    return typeof bytes === 'string' ? NOTHING : { bytes: bytes.subarray(0, MAX_HEAD_BYTES), more: packed.length > HEAD_INPUT_BYTES || bytes.length > MAX_HEAD_BYTES }
  }

  /** What a stream unpacks to, or as much of its beginning as there is room for. */
  inflate(packed: Buffer): Unpacked {
    let input = packed
    while (input.length > 0 && this.bytesLeft > CALL_COST) {
      const room = this.bytesLeft >> 1
      const bytes = this.attempt(input, room)
      if (bytes === 'broken') return NOTHING
      if (bytes !== 'too-long') return { bytes, more: input.length < packed.length }
      input = input.subarray(0, Math.max(Math.floor(room / 2 / MAX_RATIO), Math.min(input.length >> 2, room >> 3)))
    }
    return { bytes: NOTHING.bytes, more: packed.length > 0 }
  }

  private attempt(input: Buffer, room: number): Buffer | 'too-long' | 'broken' {
    if (this.bytesLeft < CALL_COST + room) return 'broken'
    const result = tryInflate(input, room)
    this.bytesLeft -= CALL_COST + (result === 'too-long' ? room : result.length)
    return result
  }
}

function tryInflate(input: Buffer, room: number): Buffer | 'too-long' | 'broken' {
  try {
    // A flush that is not the end lets a stream that is cut off give what it has.
    return inflateRawSync(input, { maxOutputLength: room, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: Math.max(1024, Math.min(room, 65_536)) })
  } catch (error) {
    return error instanceof RangeError ? 'too-long' : 'broken'
  }
}
