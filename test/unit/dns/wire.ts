/** Messages for the tests of the parser: whole ones by dns-packet, broken ones by hand. */
import packet, { type Answer as Wire } from 'dns-packet'
import { readAnswer, type Answer } from '../../../src/dns/answer.ts'
import { headOfAnswer, type Query } from '../../../src/dns/message.ts'
import type { RecordType } from '../../../src/dns/resolver.ts'

export const CODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

export interface Parts {
  readonly name?: string
  readonly type?: RecordType
  readonly code?: keyof typeof CODES
  readonly flags?: number
  readonly answers?: readonly Wire[]
  readonly authorities?: readonly Wire[]
  readonly additionals?: readonly Wire[]
}

export const ID = 0x1234

export function queryOf({ name = 'a.example', type = 'A' }: Parts = {}): Query {
  return { name, type, id: ID, edns: true }
}

export function response(parts: Parts): Buffer {
  const { code = 'NOERROR', flags = 0, answers = [], authorities = [], additionals = [] } = parts
  const { name, type } = queryOf(parts)
  return packet.encode({ type: 'response', id: ID, flags: packet.RECURSION_AVAILABLE | flags | CODES[code], questions: [{ name, type, class: 'IN' }], answers: [...answers], authorities: [...authorities], additionals: [...additionals] })
}

export function soa(zone: string, ttl: number, minimum: number): Wire {
  return { name: zone, type: 'SOA', ttl, data: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum } }
}

export function a(name: string, address: string, ttl = 300): Wire {
  return { name, type: 'A', ttl, data: address }
}

export function cname(name: string, target: string, ttl = 300): Wire {
  return { name, type: 'CNAME', ttl, data: target }
}

/** As the stub does it: undefined where the bytes are no answer to the question. */
export function read(bytes: Buffer, parts: Parts = {}, links = 0): Answer<RecordType> | undefined {
  const query = queryOf(parts)
  const head = headOfAnswer(bytes, query)
  return head && readAnswer(bytes, head, { ...query, links })
}

/** A name, label by label, with whatever bytes. */
export function labels(...parts: readonly string[]): Buffer {
  return Buffer.concat([...parts.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])), Buffer.from([0])])
}

/** A pointer to the name of the question. */
export const OWNER = Buffer.from([0xc0, 12])

export function record(type: number, data: Buffer, { owner = OWNER, ttl = 300, klass = 1 }: { readonly owner?: Buffer; readonly ttl?: number; readonly klass?: number } = {}): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(klass, 2)
  fixed.writeUInt32BE(ttl >>> 0, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([owner, fixed, data])
}

/** The question as `parts` has it, and these bytes as the answer section. */
export function withAnswers(parts: Parts, ...records: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([response(parts), ...records])
  bytes.writeUInt16BE(records.length, 6)
  return bytes
}
