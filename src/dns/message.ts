/**
 * DNS messages on the wire: the query that is sent (RFC 1035 §4.1, RFC 6891)
 * and the structure of what comes back. No I/O, nothing is thrown.
 *
 * A library would join labels by dots (one label `a.b` becomes two), go by the
 * shape of the data and not by its length, and fail on a broken record that
 * nobody asked for. Records are cut out by their lengths here and read by
 * record-data.ts, and only those that matter.
 *
 * A message is at most 65,535 octets (RFC 1035 §4.2.2), so it has at most some
 * 5,900 records; one that does not hold what its counts say is `malformed`.
 */
import { OPT_TYPE, TYPE_NUMBERS, type Span } from './record-data.ts'
import type { RecordType } from './resolver.ts'
import { readName, type WireName } from './wire-name.ts'

/** RFC 6891 §6.2.5 with the size that no path fragments (DNS flag day 2020). */
export const UDP_PAYLOAD_BYTES = 1232

export interface Question {
  /** as `normalName` gives it */
  readonly name: string
  readonly type: RecordType
}

export interface Query extends Question {
  readonly id: number
  /** whether to say that answers of more than 512 octets are welcome; a server that does not know EDNS refuses it */
  readonly edns: boolean
  /** false: the server is asked for what it knows itself (RFC 1034 §4.3.1); default: true */
  readonly recursive?: boolean
}

const HEADER_OCTETS = 12
const DOT = 0x2e
const CLASS_IN = 1
/** OPCODE 0, RD: ask others; and AD: say whether the answer was validated (RFC 6840 §5.7). */
const ASKING = 0x0120
/** The root as name, the type, the payload as class, three zeros and no options (RFC 6891 §6.1.2). */
const OPT = Buffer.from([0, 0, OPT_TYPE, UDP_PAYLOAD_BYTES >> 8, UDP_PAYLOAD_BYTES & 0xff, 0, 0, 0, 0, 0, 0])

export function encodeQuery({ id, name, type, edns, recursive = true }: Query): Buffer {
  const typeAt = HEADER_OCTETS + name.length + 2
  const bytes = Buffer.alloc(typeAt + 4 + (edns ? OPT.length : 0))
  bytes.writeUInt16BE(id, 0)
  bytes.writeUInt16BE(recursive ? ASKING : 0, 2)
  bytes[5] = 1
  bytes[11] = edns ? 1 : 0
  // Each label stands behind its length, and so where the dots are in the text.
  bytes.write(name, HEADER_OCTETS + 1, 'latin1')
  let lengthAt = HEADER_OCTETS
  for (let at = HEADER_OCTETS + 1; at < typeAt; at++) {
    if (at < typeAt - 1 && bytes[at] !== DOT) continue
    bytes[lengthAt] = at - lengthAt - 1
    lengthAt = at
  }
  bytes.writeUInt16BE(TYPE_NUMBERS[type], typeAt)
  bytes.writeUInt16BE(CLASS_IN, typeAt + 2)
  if (edns) OPT.copy(bytes, typeAt + 4)
  return bytes
}

/** Header and question: what is enough to tell whose answer it is. */
export interface Head {
  readonly truncated: boolean
  readonly authoritative: boolean
  readonly authenticated: boolean
  /** the four bits of the header; RFC 6891 §6.1.3 puts more into the body */
  readonly rcode: number
  /** how many records stand in each section: answer, authority, additional */
  readonly counts: readonly [number, number, number]
  /** where the records begin */
  readonly end: number
}

export const FORMERR = 1

/**
 * The head of the answer to `query`; undefined where the message is not that:
 * another id, no response, another operation, another question (RFC 5452 §9.1).
 * A FORMERR may come without the question (the server could not read it).
 */
export function headOfAnswer(bytes: Buffer, query: Query): Head | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== query.id) return undefined
  const flags = bytes.readUInt16BE(2)
  // QR is set, OPCODE is 0.
  if ((flags & 0xf800) !== 0x8000) return undefined
  const rcode = flags & 0xf
  const questions = bytes.readUInt16BE(4)
  const end = questions === 1 ? endOfQuestion(bytes, query) : questions === 0 && rcode === FORMERR ? 12 : undefined
  if (end === undefined) return undefined
  return {
    truncated: (flags & 0x0200) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    authenticated: (flags & 0x0020) !== 0,
    rcode,
    counts: [bytes.readUInt16BE(6), bytes.readUInt16BE(8), bytes.readUInt16BE(10)],
    end,
  }
}

function endOfQuestion(bytes: Buffer, query: Query): number | undefined {
  const name = readName(bytes, 12)
  if (name?.text !== query.name || name.end + 4 > bytes.length) return undefined
  const same = bytes.readUInt16BE(name.end) === TYPE_NUMBERS[query.type] && bytes.readUInt16BE(name.end + 2) === CLASS_IN
  return same ? name.end + 4 : undefined
}

export interface WireRecord extends Span {
  /** undefined: one that nobody can have asked for */
  readonly name: string | undefined
  readonly type: number
  readonly ttlSeconds: number
}

export type Body =
  | { readonly status: 'ok'; readonly answer: readonly WireRecord[]; readonly authority: readonly WireRecord[]; readonly extendedRcode: number }
  | { readonly status: 'malformed'; readonly why: string }

/** The records of a message, those of class IN; RRs of other types are kept as bytes. */
export function readBody(bytes: Buffer, head: Head): Body {
  const sections: [WireRecord[], WireRecord[], WireRecord[]] = [[], [], []]
  const known = new Map<number, WireName>()
  let extendedRcode = 0
  let at = head.end
  for (const [section, records] of sections.entries()) {
    for (let left = head.counts[section] ?? 0; left > 0; left--) {
      const cut = cutRecord(bytes, at, known)
      if (cut === undefined) return { status: 'malformed', why: `a record at octet ${at} of ${bytes.length} is cut off or malformed` }
      if (cut.record.type === OPT_TYPE) extendedRcode = bytes[cut.ttlAt] ?? 0
      else if (cut.class === CLASS_IN) records.push(cut.record)
      at = cut.record.end
    }
  }
  return { status: 'ok', answer: sections[0], authority: sections[1], extendedRcode }
}

function cutRecord(bytes: Buffer, at: number, known: Map<number, WireName>): { readonly record: WireRecord; readonly class: number; readonly ttlAt: number } | undefined {
  const name = readOwner(bytes, at, known)
  if (name === undefined || name.end + 10 > bytes.length) return undefined
  const start = name.end + 10
  const end = start + bytes.readUInt16BE(name.end + 8)
  if (end > bytes.length) return undefined
  const ttl = bytes.readInt32BE(name.end + 4)
  // RFC 2181 §8: one with its highest bit set is zero.
  const record = { bytes, start, end, name: name.text, type: bytes.readUInt16BE(name.end), ttlSeconds: Math.max(ttl, 0) }
  return { record, class: bytes.readUInt16BE(name.end + 2), ttlAt: name.end + 4 }
}

/** Thousands of records may point to one name of 127 labels, which is read once. */
function readOwner(bytes: Buffer, at: number, known: Map<number, WireName>): WireName | undefined {
  if (at + 2 > bytes.length) return readName(bytes, at)
  const pointer = bytes.readUInt16BE(at)
  if (pointer < 0xc000) return readName(bytes, at)
  const before = known.get(pointer)
  if (before) return { text: before.text, end: at + 2 }
  const name = readName(bytes, at)
  if (name) known.set(pointer, name)
  return name
}
