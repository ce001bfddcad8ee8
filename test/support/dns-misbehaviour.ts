/**
 * The ways in which the DNS server of the tests (dns-server.ts) fails. Each is
 * given the right answer, and gives back what it makes of it.
 */
import packet, { type DecodedPacket } from 'dns-packet'

export type Transport = 'udp' | 'tcp'

export interface PassBack {
  readonly query: DecodedPacket
  readonly over: Transport
  readonly answer: Buffer
  readonly failure: (code: 'FORMERR' | 'SERVFAIL' | 'NOTIMP' | 'REFUSED') => Buffer
  readonly reply: (message: Buffer) => void
  readonly replyElsewhere: (message: Buffer) => void
  readonly cut: (bytes: Buffer) => void
}

/** As dns-packet reads it, changed, and written again. */
function changed(answer: Buffer, change: (message: DecodedPacket) => void): Buffer {
  const message = packet.decode(answer)
  change(message)
  return packet.encode(message)
}

function withOtherId(answer: Buffer): Buffer {
  const other = Buffer.from(answer)
  other.writeUInt16BE((answer.readUInt16BE(0) + 1) & 0xffff)
  return other
}

function withOtherQuestion(answer: Buffer): Buffer {
  return changed(answer, (message) => {
    message.questions = [{ type: 'A', name: 'other.example', class: 'IN' }]
    message.answers = [{ name: 'other.example', type: 'A', class: 'IN', ttl: 300, data: '198.51.100.66' }]
  })
}

/** The upper-case letters of a name are other bytes, and the same name (RFC 4343). */
function inUpperCase(answer: Buffer): Buffer {
  return changed(answer, (message) => {
    message.questions = (message.questions ?? []).map((question) => ({ ...question, name: question.name.toUpperCase() }))
    message.answers = (message.answers ?? []).map((record) => ({ ...record, name: record.name.toUpperCase() }))
  })
}

/** Records that nobody asked for: of another name, of another type, and glue. */
function withExtraRecords(answer: Buffer): Buffer {
  return changed(answer, (message) => {
    const foreign = { name: 'victim.example', type: 'A', class: 'IN', ttl: 300, data: '198.51.100.66' } as const
    message.answers = [foreign, { ...foreign, name: 'unrelated.example', type: 'CNAME', data: 'victim.example' }, ...(message.answers ?? []), foreign]
    message.additionals = [foreign, ...(message.additionals ?? [])]
  })
}

function truncated(answer: Buffer): Buffer {
  return changed(answer, (message) => {
    message.flags = (message.flags ?? 0) | packet.TRUNCATED_RESPONSE
    message.answers = []
    message.authorities = []
  })
}

function garbage(answer: Buffer): Buffer {
  // The head is right, the records are not: their counts promise more than there is.
  return Buffer.concat([answer.subarray(0, 6), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), answer.subarray(12), Buffer.from('c00c00010001', 'hex')])
}

export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message])
}

export const PASS_BACK = {
  /** silence */
  'drop': () => undefined,
  /** TC over UDP; over TCP the answer */
  'truncate': ({ answer, over, reply }) => reply(over === 'udp' ? truncated(answer) : answer),
  'truncate over TCP too': ({ answer, reply }) => reply(truncated(answer)),
  'refused': ({ failure, reply }) => reply(failure('REFUSED')),
  'servfail': ({ failure, reply }) => reply(failure('SERVFAIL')),
  'formerr': ({ failure, reply }) => reply(failure('FORMERR')),
  'notimp': ({ failure, reply }) => reply(failure('NOTIMP')),
  'wrong id': ({ answer, reply }) => reply(withOtherId(answer)),
  'wrong question': ({ answer, reply }) => reply(withOtherQuestion(answer)),
  /** one lie of each kind before the truth */
  'lies, then the truth': ({ query, answer, reply }) => {
    for (const message of [withOtherId(answer), withOtherQuestion(answer), packet.encode(query), answer.subarray(0, 11), Buffer.alloc(0), answer]) reply(message)
  },
  /** a hundred wrong ids, and nothing else */
  'flood': ({ answer, reply }) => {
    for (let i = 0; i < 100; i++) reply(withOtherId(answer))
  },
  'upper case': ({ answer, reply }) => reply(inUpperCase(answer)),
  'extra records': ({ answer, reply }) => reply(withExtraRecords(answer)),
  /** the right answer, from another source port */
  'other port': ({ answer, replyElsewhere }) => replyElsewhere(answer),
  /** the right head over records that are none */
  'garbage': ({ answer, reply }) => reply(garbage(answer)),
  /** over TCP: half of the answer, then the end; over UDP: half of it */
  'half': ({ answer, over, reply, cut }) => (over === 'tcp' ? cut(framed(answer).subarray(0, 2 + (answer.length >> 1))) : reply(answer.subarray(0, answer.length >> 1))),
  /** over TCP: the end without an answer; over UDP: silence */
  'close': ({ cut }) => cut(Buffer.alloc(0)),
} as const satisfies Readonly<Record<string, (back: PassBack) => void>>

/** 'hold': the answer waits until the test releases it */
export type Misbehaviour = keyof typeof PASS_BACK | 'hold'
