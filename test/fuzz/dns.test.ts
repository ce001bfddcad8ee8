/**
 * The reader of DNS answers: no throw, nothing that is not within its bounds,
 * no name that could be taken for another, however broken the bytes are. And
 * where dns-packet reads a message in the same way, the same answer.
 */
import assert from 'node:assert/strict'
import packet, { type Answer as Wire } from 'dns-packet'
import { isIP } from 'node:net'
import { MAX_CHAIN, MAX_NEGATIVE_TTL_SECONDS, MAX_RECORDS, MAX_TXT_CHARACTERS, readAnswer, type Answer } from '../../src/dns/answer.ts'
import { LengthFraming } from '../../src/dns/length-framing.ts'
import { headOfAnswer, type Query } from '../../src/dns/message.ts'
import { normalName } from '../../src/dns/name.ts'
import { readResolvConf } from '../../src/dns/resolv-conf.ts'
import type { RecordType } from '../../src/dns/resolver.ts'
import { isHostName, readName } from '../../src/dns/wire-name.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'

const TYPES = ['A', 'AAAA', 'PTR', 'CNAME', 'NS', 'MX', 'TXT'] as const
const NAMES = ['a.example', 'b.example', 'c.b.example', '_dmarc.example', 'example', 'mx.a.example'] as const

function dataOf(random: Random, type: RecordType): unknown {
  switch (type) {
    case 'A': return `${random.below(256)}.0.2.${random.below(256)}`
    case 'AAAA': return `2001:db8::${random.below(0xffff).toString(16)}`
    case 'MX': return { preference: random.below(65_536), exchange: random.pick(NAMES) }
    case 'TXT': return Array.from({ length: 1 + random.below(3) }, () => Buffer.from(random.bytes(60), 'latin1'))
    case 'PTR':
    case 'CNAME':
    case 'NS': return random.pick(NAMES)
  }
}

function sample(random: Random): { readonly query: Query; readonly bytes: Buffer } {
  const query = { id: random.below(65_536), name: random.pick(NAMES), type: random.pick(TYPES), edns: true }
  const records = (most: number): Wire[] => Array.from({ length: random.below(most + 1) }, () => {
    const type = random.chance(0.6) ? query.type : random.pick(TYPES)
    return { name: random.chance(0.6) ? query.name : random.pick(NAMES), type, ttl: random.below(100_000), data: dataOf(random, type) } as Wire
  })
  const soa: Wire = { name: random.pick(['example', '.', 'other']), type: 'SOA', ttl: random.below(100_000), data: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: random.below(100_000) } }
  const bytes = packet.encode({
    type: 'response', id: query.id, flags: packet.RECURSION_AVAILABLE | (random.chance(0.2) ? random.below(16) : random.pick([0, 3])) | (random.chance(0.2) ? packet.AUTHENTIC_DATA : 0),
    questions: [{ name: query.name, type: query.type, class: 'IN' }], answers: records(6), authorities: random.chance(0.5) ? [soa] : records(2), additionals: random.chance(0.5) ? [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: random.below(2), ednsVersion: 0, flags: 0, flag_do: false, options: [] }] : [],
  })
  return { query, bytes }
}

function read(bytes: Buffer, query: Query): Answer<RecordType> | undefined {
  const head = headOfAnswer(bytes, query)
  if (head === undefined) return undefined
  assert.equal(bytes.readUInt16BE(0), query.id)
  return readAnswer(bytes, head, { ...query, links: 0 })
}

function isSound(answer: Answer<RecordType> | undefined, query: Query): void {
  if (answer === undefined) return
  if ('cause' in answer) return assert.match(answer.cause, /^[\x20-\x7e]+$/)
  assert.ok(Number.isInteger(answer.ttlSeconds) && answer.ttlSeconds >= 0 && answer.ttlSeconds < 2 ** 31)
  switch (answer.status) {
    case 'nxdomain':
    case 'nodata': return assert.ok(answer.ttlSeconds <= MAX_NEGATIVE_TTL_SECONDS)
    case 'alias': return assert.ok(normalName(answer.target) === answer.target && answer.links > 0 && answer.links <= MAX_CHAIN)
    case 'records':
      assert.equal(normalName(answer.name), answer.name)
      assert.ok(answer.records.length > 0 && answer.records.length <= MAX_RECORDS)
      for (const record of answer.records) isSoundRecord(record, query.type)
  }
}

function isSoundRecord(record: unknown, type: RecordType): void {
  switch (type) {
    case 'A': return assert.equal(isIP(String(record)), 4)
    case 'AAAA': return assert.equal(isIP(String(record)), 6)
    case 'PTR':
    case 'NS': return assert.ok(isHostName(String(record)) && normalName(String(record)) === record, JSON.stringify(record))
    case 'CNAME': return assert.equal(normalName(String(record)), record)
    case 'MX': {
      const { preference, exchange } = record as { preference: number; exchange: string }
      assert.ok(preference >= 0 && preference <= 65_535)
      return assert.ok(exchange === '' || (isHostName(exchange) && normalName(exchange) === exchange))
    }
    case 'TXT': {
      const strings = record as readonly string[]
      assert.ok(strings.length > 0 && strings.join('').length <= MAX_TXT_CHARACTERS)
      return assert.ok(strings.every((text) => text.length <= 255 && /^[\x00-\xff]*$/.test(text)))
    }
  }
}

fuzz('DNS answers as they should be: as dns-packet reads them', 5000, (random) => {
  const { query, bytes } = sample(random)
  const answer = read(bytes, query)
  assert.ok(answer, 'it is the answer')
  isSound(answer, query)
  if (answer.status !== 'records') return
  const expected = (packet.decode(bytes).answers ?? []).filter((record) => record.type === query.type && record.name === answer.name)
  assert.deepEqual(answer.records.map(plain), expected.map((record) => plain('data' in record ? record.data : undefined)))
})

/** Bytes as text; otherwise as it is. */
function plain(data: unknown): unknown {
  return Array.isArray(data) ? data.map((text: unknown) => (Buffer.isBuffer(text) ? text.toString('latin1') : text)) : data
}

fuzz('DNS answers cut off anywhere', 300, (random) => {
  const { query, bytes } = sample(random)
  for (let length = 0; length < bytes.length; length++) {
    const answer = read(bytes.subarray(0, length), query)
    // The counts promise more than is there, so no records and no absence come out.
    assert.ok(answer === undefined || answer.status === 'failed', `${length} of ${bytes.length}: ${JSON.stringify(answer)}`)
  }
})

fuzz('DNS answers with flipped bits, every one of them', 60, (random) => {
  const { query, bytes } = sample(random)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const spoiled = Buffer.from(bytes)
    spoiled[bit >> 3] = (spoiled[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    isSound(read(spoiled, query), query)
  }
})

fuzz('DNS answers with several faults', 20_000, (random) => {
  const { query, bytes } = sample(random)
  const spoiled = Buffer.from(random.spoil(bytes.toString('latin1'), ['\xc0\x0c', '\xc0\x00', '\xc0\xff', '\0', '\xff', '\x3f', '\x01.', '\x00\x05\x00\x01']), 'latin1')
  isSound(read(spoiled, query), query)
})

fuzz('random bytes after the right head', 20_000, (random) => {
  const { query, bytes } = sample(random)
  const head = headOfAnswer(bytes, query)
  assert.ok(head)
  isSound(read(Buffer.concat([bytes.subarray(0, head.end), Buffer.from(random.bytes(200), 'latin1')]), query), query)
  isSound(read(Buffer.from(random.bytes(300), 'latin1'), query), query)
})

fuzz('names made of pointers', 20_000, (random) => {
  const bytes = Buffer.from(Array.from({ length: 1 + random.below(200) }, () => (random.chance(0.3) ? 0xc0 : random.below(80))))
  for (let at = 0; at < bytes.length; at++) {
    const name = readName(bytes, at)
    if (name === undefined) continue
    assert.ok(name.end > at && name.end <= bytes.length)
    if (name.text !== undefined && name.text !== '') assert.equal(normalName(name.text), name.text)
  }
})

fuzz('a message full of pointers to a long name', 3, () => {
  const query = { id: 1, name: 'a.example', type: 'A', edns: true } as const
  const head = packet.encode({ type: 'response', id: 1, flags: 0, questions: [{ name: 'a.example', type: 'A', class: 'IN' }] })
  // 125 labels of one character, then thousands of records of that name.
  const long = Buffer.from('\x01a'.repeat(125) + '\0', 'latin1')
  const first = Buffer.concat([long, Buffer.from('0010000100000000000101', 'hex').subarray(0, 10), Buffer.from([0])])
  first.writeUInt16BE(1, long.length + 8)
  const other = Buffer.concat([Buffer.from([0xc0 | (head.length >> 8), head.length & 0xff]), Buffer.from('00100001000000000000', 'hex')])
  const count = Math.floor((65_535 - head.length - first.length) / other.length)
  const bytes = Buffer.concat([head, first, ...Array.from({ length: count }, () => other)])
  bytes.writeUInt16BE(count + 1, 6)
  assert.equal(read(bytes, query)?.status, 'nodata')
})

fuzz('length framing: what is framed comes out, however it is cut', 2000, (random) => {
  const messages = Array.from({ length: random.below(5) }, () => Buffer.from(random.bytes(400), 'latin1'))
  const stream = Buffer.concat(messages.map((message) => Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message])))
  const framing = new LengthFraming()
  const out = random.pieces(stream).flatMap((piece) => framing.push(piece))
  assert.deepEqual(out.map((message) => message.toString('latin1')), messages.map((message) => message.toString('latin1')))
})

fuzz('resolv.conf: servers are addresses, times and attempts are within bounds', 20_000, (random) => {
  const { servers, timeoutMs, tries } = readResolvConf(random.soup(['nameserver', ' ', '\t', '\n', '192.0.2.1', '2001:db8::1', 'fe80::1%eth0', 'options', 'timeout:', 'attempts:', '1', '99999999999999999999', '#', ';', 'search example', ':', '-'], 30))
  assert.ok(servers.length >= 1 && servers.length <= 3 && servers.every(({ host, port }) => isIP(host) !== 0 && port === 53))
  assert.ok(timeoutMs >= 1000 && timeoutMs <= 30_000 && tries >= 1 && tries <= 5)
})
