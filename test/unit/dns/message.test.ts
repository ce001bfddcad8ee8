import assert from 'node:assert/strict'
import packet from 'dns-packet'
import { test } from 'node:test'
import { encodeQuery, headOfAnswer, readBody } from '../../../src/dns/message.ts'
import { a, ID, labels, queryOf, record, response, withAnswers } from './wire.ts'

test('a query asks for recursion and for AD, one question, 1232 octets', () => {
  const { id, flags, questions, additionals, answers } = packet.decode(encodeQuery({ id: 0xbeef, name: '_dmarc.example', type: 'TXT', edns: true }))
  assert.equal(id, 0xbeef)
  assert.equal(flags, packet.RECURSION_DESIRED | packet.AUTHENTIC_DATA)
  assert.deepEqual(questions, [{ name: '_dmarc.example', type: 'TXT', class: 'IN' }])
  assert.deepEqual(answers, [])
  const [opt] = additionals ?? []
  assert.ok(opt?.type === 'OPT')
  assert.equal(opt.udpPayloadSize, 1232)
  assert.equal(opt.flag_do, false)
  assert.equal(encodeQuery({ id: 1, name: 'a.example', type: 'A', edns: false }).toString('hex'), '0001' + '0120' + '0001000000000000' + '0161076578616d706c6500' + '00010001')
})

test('names are written label by label', () => {
  for (const name of ['a', 'a.b', '_dmarc.mail.example', `${'x'.repeat(63)}.example`, `${'a.'.repeat(126)}b`, ' !"#.x\\y']) for (const edns of [true, false]) {
    const bytes = encodeQuery({ id: 0x1234, name, type: 'MX', edns, recursive: false })
    assert.deepEqual(bytes, packet.encode({
      type: 'query', id: 0x1234, flags: 0, questions: [{ type: 'MX', name, class: 'IN' }],
      additionals: edns ? [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }] : [],
    }), name)
  }
})

test('every type has its number', () => {
  for (const type of ['A', 'AAAA', 'PTR', 'CNAME', 'NS', 'MX', 'TXT'] as const) assert.equal(packet.decode(encodeQuery({ id: 1, name: 'a.example', type, edns: true })).questions?.[0]?.type, type)
})

test('the answer to a question is known by id, response bit, operation and question', () => {
  const good = response({ answers: [a('a.example', '192.0.2.1')] })
  assert.deepEqual(headOfAnswer(good, queryOf()), { truncated: false, authoritative: false, authenticated: false, rcode: 0, counts: [1, 0, 0], end: 27 })
  const spoiled = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good)
    bytes[at] = value
    return bytes
  }
  assert.ok(headOfAnswer(spoiled(13, 'A'.charCodeAt(0)), queryOf()), 'case does not matter')
  assert.equal(headOfAnswer(spoiled(0, 0x13), queryOf()), undefined, 'id')
  assert.equal(headOfAnswer(spoiled(1, 0x35), queryOf()), undefined, 'id')
  assert.equal(headOfAnswer(spoiled(2, 0x01), queryOf()), undefined, 'a query')
  assert.equal(headOfAnswer(spoiled(2, 0xa8), queryOf()), undefined, 'another operation')
  assert.equal(headOfAnswer(spoiled(13, 'b'.charCodeAt(0)), queryOf()), undefined, 'name')
  assert.equal(headOfAnswer(spoiled(24, 28), queryOf()), undefined, 'type')
  assert.equal(headOfAnswer(spoiled(26, 3), queryOf()), undefined, 'class')
  assert.equal(headOfAnswer(spoiled(5, 0), queryOf()), undefined, 'no question')
  assert.equal(headOfAnswer(spoiled(5, 2), queryOf()), undefined, 'two questions')
  for (let length = 0; length < 27; length++) assert.equal(headOfAnswer(good.subarray(0, length), queryOf()), undefined, `cut after ${length}`)
})

test('a label with a dot in it is not the question that two labels were', () => {
  const bytes = Buffer.concat([response({}).subarray(0, 12), labels('a.example'), Buffer.from([0, 1, 0, 1])])
  assert.equal(headOfAnswer(bytes, queryOf()), undefined)
})

test('only a FORMERR may come without the question', () => {
  const header = (flags: number): Buffer => Buffer.concat([Buffer.from([ID >> 8, ID & 0xff, 0x80, flags]), Buffer.alloc(8)])
  assert.equal(headOfAnswer(header(1), queryOf())?.end, 12)
  for (const rcode of [0, 2, 3, 5]) assert.equal(headOfAnswer(header(rcode), queryOf()), undefined)
})

test('the flags are told', () => {
  const head = headOfAnswer(response({ flags: packet.TRUNCATED_RESPONSE | packet.AUTHENTIC_DATA | packet.AUTHORITATIVE_ANSWER, code: 'NXDOMAIN' }), queryOf())
  assert.deepEqual(head, { truncated: true, authoritative: true, authenticated: true, rcode: 3, counts: [0, 0, 0], end: 27 })
})

test('records are cut out by their lengths, those of other classes left out', () => {
  const bytes = withAnswers({}, record(46, Buffer.from('any bytes')), record(1, Buffer.from([192, 0, 2, 1]), { klass: 3 }), record(1, Buffer.from([192, 0, 2, 2]), { ttl: 7 }), record(1, Buffer.from([1, 2, 3, 4]), { ttl: 0x8000_0000 }))
  const body = readBody(bytes, headOfAnswer(bytes, queryOf())!)
  assert.ok(body.status === 'ok')
  assert.deepEqual(body.answer.map(({ name, type, ttlSeconds, start, end }) => [name, type, ttlSeconds, end - start]), [['a.example', 46, 300, 9], ['a.example', 1, 7, 4], ['a.example', 1, 0, 4]])
})

test('a message that does not hold what it counts is malformed, wherever it ends', () => {
  const bytes = response({ answers: [a('a.example', '192.0.2.1'), a('b.example', '192.0.2.2')], additionals: [a('c.example', '192.0.2.3')] })
  const head = headOfAnswer(bytes, queryOf())!
  assert.equal(readBody(bytes, head).status, 'ok')
  for (let length = head.end; length < bytes.length; length++) assert.equal(readBody(bytes.subarray(0, length), head).status, 'malformed', String(length))
})

test('the extended response code is that of the OPT record', () => {
  const bytes = response({ additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 1, ednsVersion: 0, flags: 0, flag_do: false, options: [] }] })
  const body = readBody(bytes, headOfAnswer(bytes, queryOf())!)
  assert.equal(body.status === 'ok' && body.extendedRcode, 1)
})
