/** What answers mean: chains, absence, failure, and records that are not what they seem. */
import assert from 'node:assert/strict'
import packet, { type Answer as Wire } from 'dns-packet'
import { describe, test } from 'node:test'
import { MAX_CHAIN, MAX_RECORDS } from '../../../src/dns/answer.ts'
import type { RecordType } from '../../../src/dns/resolver.ts'
import { a, cname, labels, OWNER, read, record, response, soa, withAnswers } from './wire.ts'

describe('records', () => {
  test('of every type, as the interface has them', () => {
    const of = (type: RecordType, ...data: readonly unknown[]): unknown => {
      const answer = read(response({ type, answers: data.map((each) => ({ name: 'a.example', type, ttl: 60, data: each }) as Wire) }), { type })
      return answer?.status === 'records' ? answer.records : answer
    }
    assert.deepEqual(of('A', '192.0.2.1', '255.0.0.255'), ['192.0.2.1', '255.0.0.255'])
    assert.deepEqual(of('AAAA', '2001:db8:0:0:1:0:0:1', '::', '::1', '::ffff:192.0.2.1', '2001:db8::a:0:0:b'), ['2001:db8::1:0:0:1', '::', '::1', '::ffff:192.0.2.1', '2001:db8::a:0:0:b'])
    assert.deepEqual(of('PTR', 'Mail.Example', 'a_b.example'), ['mail.example', 'a_b.example'])
    assert.deepEqual(of('NS', 'ns.Example'), ['ns.example'])
    assert.deepEqual(of('CNAME', '0/25.Example'), ['0/25.example'])
    assert.deepEqual(of('MX', { preference: 10, exchange: 'MX.example' }, { preference: 0, exchange: '.' }), [{ preference: 10, exchange: 'mx.example' }, { preference: 0, exchange: '' }])
    assert.deepEqual(of('TXT', [Buffer.from('v=spf1 '), Buffer.from('-all')], [Buffer.from([0xe9, 0, 0xff])], [Buffer.alloc(0)]), [['v=spf1 ', '-all'], ['\xe9\0\xff'], ['']])
  })

  test('the smallest time to live counts, and the AD bit is passed on', () => {
    assert.deepEqual(read(response({ flags: packet.AUTHENTIC_DATA, answers: [a('a.example', '192.0.2.1', 30), a('a.example', '192.0.2.2', 20)] })), { status: 'records', records: ['192.0.2.1', '192.0.2.2'], name: 'a.example', ttlSeconds: 20, authenticated: true })
  })

  test('records of other names and other types are not ours', () => {
    const answers = [a('b.example', '192.0.2.9'), { name: 'a.example', type: 'AAAA', ttl: 1, data: '2001:db8::1' } as const, a('a.example', '192.0.2.1'), a('x.a.example', '192.0.2.8'), cname('c.example', 'b.example')]
    assert.deepEqual(read(response({ answers })), { status: 'records', records: ['192.0.2.1'], name: 'a.example', ttlSeconds: 300, authenticated: false })
  })

  test('a label with a dot is not two labels: such a name is nobody\'s', () => {
    // PTR of one label `mail.bank`, then `example`: not mail.bank.example.
    const bytes = withAnswers({ type: 'PTR' }, record(12, labels('mail.bank', 'example')), record(12, labels('real', 'example')))
    assert.deepEqual(read(bytes, { type: 'PTR' }), { status: 'records', records: ['real.example'], name: 'a.example', ttlSeconds: 300, authenticated: false })
    // An A record whose owner is one label `a.example`.
    assert.equal(read(withAnswers({}, record(1, Buffer.from([192, 0, 2, 1]), { owner: labels('a.example') })))?.status, 'nodata')
  })

  test('a PTR or MX that names no host is left out; where nothing is left there is no data', () => {
    for (const odd of ['a b', 'a\0b', '\xe9', 'x;y', '"q"', 'a\\', '*', 'e(vil)', '<x>', 'a\r\nb']) {
      assert.deepEqual(read(withAnswers({ type: 'PTR' }, record(12, labels(odd, 'example'))), { type: 'PTR' }), { status: 'nodata', ttlSeconds: 300, authenticated: false }, JSON.stringify(odd))
      const mx = Buffer.concat([Buffer.from([0, 10]), labels(odd, 'example')])
      const good = Buffer.concat([Buffer.from([0, 20]), labels('mx', 'example')])
      const answer = read(withAnswers({ type: 'MX' }, record(15, mx), record(15, good)), { type: 'MX' })
      assert.deepEqual(answer?.status === 'records' && answer.records, [{ preference: 20, exchange: 'mx.example' }])
    }
    assert.equal(read(withAnswers({ type: 'PTR' }, record(12, labels())), { type: 'PTR' })?.status, 'nodata', 'the root is no host')
  })

  test('data that does not fill its length is malformed', () => {
    const malformed = (type: RecordType, number: number, data: Buffer): void => {
      const answer = read(withAnswers({ type }, record(number, data)), { type })
      assert.ok(answer?.status === 'failed' && answer.cause.includes('malformed'), `${type} ${data.toString('hex')}: ${JSON.stringify(answer)}`)
    }
    for (const length of [0, 3, 5, 16]) malformed('A', 1, Buffer.alloc(length, 1))
    for (const length of [0, 4, 15, 17]) malformed('AAAA', 28, Buffer.alloc(length, 1))
    for (const data of [Buffer.alloc(0), labels('a').subarray(0, 2), Buffer.concat([labels('a'), Buffer.from([0])]), Buffer.from([0xc0, 0xff])]) {
      malformed('PTR', 12, data)
      malformed('NS', 2, data)
      malformed('CNAME', 5, data)
      malformed('MX', 15, Buffer.concat([Buffer.from([0, 1]), data]))
    }
    malformed('MX', 15, Buffer.from([0]))
    for (const data of [Buffer.alloc(0), Buffer.from([2, 0x61]), Buffer.from([1, 0x61, 1])]) malformed('TXT', 16, data)
  })

  test('a string does not reach into the next record', () => {
    const answer = read(withAnswers({ type: 'TXT' }, record(16, Buffer.from([4, 0x61, 0x62, 0x63])), record(16, Buffer.from([1, 0x61]))), { type: 'TXT' })
    assert.ok(answer?.status === 'failed' && answer.cause.includes('malformed'))
  })

  test('broken records that nobody asked for do no harm', () => {
    assert.equal(read(withAnswers({}, record(16, Buffer.from([9])), record(28, Buffer.from([1])), record(1, Buffer.from([192, 0, 2, 1]))))?.status, 'records')
  })

  test(`${MAX_RECORDS} records are handed out, and so much text`, () => {
    const many = read(withAnswers({}, ...Array.from({ length: MAX_RECORDS + 50 }, (_, i) => record(1, Buffer.from([10, 0, i >> 8, i & 0xff])))))
    assert.equal(many?.status === 'records' && many.records.length, MAX_RECORDS)
    const block = Buffer.concat(Array.from({ length: 40 }, () => Buffer.concat([Buffer.from([255]), Buffer.alloc(255, 0x61)])))
    const texts = read(withAnswers({ type: 'TXT' }, ...Array.from({ length: 5 }, () => record(16, block))), { type: 'TXT' })
    assert.equal(texts?.status === 'records' && texts.records.length, 3, '10,240 octets each of 32,768')
  })
})

describe('aliases', () => {
  test('a chain is followed in whatever order it comes, with its smallest time', () => {
    const answers = [a('c.example', '192.0.2.1', 50), cname('B.example', 'c.example', 40), cname('a.example', 'b.EXAMPLE', 60)]
    assert.deepEqual(read(response({ answers })), { status: 'records', records: ['192.0.2.1'], name: 'c.example', ttlSeconds: 40, authenticated: false })
  })

  test('who asks for a CNAME gets it, and not what it leads to', () => {
    const answers = [cname('a.example', 'b.example'), cname('b.example', 'c.example')]
    assert.deepEqual(read(response({ type: 'CNAME', answers }), { type: 'CNAME' }), { status: 'records', records: ['b.example'], name: 'a.example', ttlSeconds: 300, authenticated: false })
  })

  test('loops, long chains, several targets and targets that are no names are the fault of the zone', () => {
    const broken = (bytes: Buffer, cause: RegExp): void => {
      const answer = read(bytes)
      assert.ok(answer?.status === 'broken', JSON.stringify(answer))
      assert.match(answer.cause, cause)
    }
    broken(response({ answers: [cname('a.example', 'a.example')] }), /loop at a\.example/)
    broken(response({ answers: [cname('a.example', 'b.example'), cname('b.example', 'c.example'), cname('c.example', 'b.example')] }), /loop at b\.example/)
    broken(response({ answers: [cname('a.example', 'b.example'), cname('a.example', 'c.example')] }), /several CNAME/)
    broken(withAnswers({}, record(5, labels('b.c', 'example'))), /no name/)
    broken(withAnswers({}, record(5, labels())), /no name/)
    const chain = (links: number): Buffer => response({ answers: [...Array.from({ length: links }, (_, i) => cname(i === 0 ? 'a.example' : `c${i}.example`, `c${i + 1}.example`)), a(`c${links}.example`, '192.0.2.1')] })
    assert.equal(read(chain(MAX_CHAIN))?.status, 'records')
    broken(chain(MAX_CHAIN + 1), /more than 8/)
    assert.equal(read(chain(3), {}, MAX_CHAIN - 3)?.status, 'records')
    assert.equal(read(chain(4), {}, MAX_CHAIN - 3)?.status, 'broken', 'links of earlier answers count')
  })

  test('the same CNAME twice is one', () => {
    assert.equal(read(response({ answers: [cname('a.example', 'b.example'), cname('a.example', 'B.example'), a('b.example', '192.0.2.1')] }))?.status, 'records')
  })

  test('a chain that ends in nothing said is an alias to be asked for; in an SOA, no data; in NXDOMAIN, that', () => {
    const answers = [cname('a.example', 'b.test', 40)]
    assert.deepEqual(read(response({ answers })), { status: 'alias', target: 'b.test', ttlSeconds: 40, links: 1, authenticated: false })
    assert.deepEqual(read(response({ answers, authorities: [soa('test', 100, 90)] })), { status: 'nodata', ttlSeconds: 40, authenticated: false })
    assert.deepEqual(read(response({ answers, authorities: [soa('test', 30, 90)], code: 'NXDOMAIN' })), { status: 'nxdomain', ttlSeconds: 30, authenticated: false })
  })
})

describe('absence (RFC 2308)', () => {
  test('lasts as long as the smaller of the SOA and its minimum, three hours at the most', () => {
    for (const [ttl, minimum, expected] of [[100, 50, 50], [50, 100, 50], [0, 100, 0], [99_999, 99_999, 10_800]] as const) {
      assert.deepEqual(read(response({ code: 'NXDOMAIN', authorities: [soa('example', ttl, minimum)] })), { status: 'nxdomain', ttlSeconds: expected, authenticated: false })
      assert.deepEqual(read(response({ authorities: [soa('example', ttl, minimum)] })), { status: 'nodata', ttlSeconds: expected, authenticated: false })
    }
  })

  test('without an SOA, or with one of another zone or a broken one, it is not to be kept', () => {
    for (const authorities of [[], [soa('other', 100, 100)], [soa('b.a.example', 100, 100)], [soa('ample', 100, 100)]]) {
      assert.deepEqual(read(response({ code: 'NXDOMAIN', authorities })), { status: 'nxdomain', ttlSeconds: 0, authenticated: false })
      assert.deepEqual(read(response({ authorities })), { status: 'nodata', ttlSeconds: 0, authenticated: false })
    }
    const broken = Buffer.concat([response({ code: 'NXDOMAIN' }), record(6, Buffer.from('short'))])
    broken.writeUInt16BE(1, 8)
    assert.deepEqual(read(broken), { status: 'nxdomain', ttlSeconds: 0, authenticated: false })
  })

  test('the SOA may be that of the name itself or of the root', () => {
    for (const zone of ['a.example', '.']) assert.deepEqual(read(response({ code: 'NXDOMAIN', authorities: [soa(zone, 100, 77)] })), { status: 'nxdomain', ttlSeconds: 77, authenticated: false })
  })
})

describe('no answer to the question', () => {
  test('response codes', () => {
    assert.deepEqual(read(response({ code: 'SERVFAIL' })), { status: 'failed', cause: 'SERVFAIL' })
    assert.deepEqual(read(response({ code: 'REFUSED', answers: [a('a.example', '192.0.2.1')] })), { status: 'failed', cause: 'REFUSED' })
    assert.deepEqual(read(response({ code: 'FORMERR' })), { status: 'rejected', cause: 'FORMERR' })
    assert.deepEqual(read(response({ code: 'NOTIMP' })), { status: 'rejected', cause: 'NOTIMP' })
    assert.deepEqual(read(response({ flags: 9 })), { status: 'failed', cause: 'response code 9' })
  })

  test('BADVERS stands in the OPT record only', () => {
    const additionals: Wire[] = [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 1, ednsVersion: 0, flags: 0, flag_do: false, options: [] }]
    assert.deepEqual(read(response({ additionals })), { status: 'failed', cause: 'BADVERS' })
  })

  test('a referral is no answer, unless the server has authority', () => {
    const authorities = [{ name: 'example', type: 'NS', ttl: 300, data: 'ns.example' } as const]
    const referral = read(response({ authorities }))
    assert.ok(referral?.status === 'failed' && referral.cause.includes('referral'))
    assert.equal(read(response({ authorities, flags: packet.AUTHORITATIVE_ANSWER }))?.status, 'nodata')
  })

  test('a cut or counted-wrong answer is a failure, cut wherever', () => {
    const whole = response({ answers: [a('a.example', '192.0.2.1')], authorities: [soa('example', 1, 1)] })
    for (let length = 0; length < whole.length; length++) {
      const answer = read(whole.subarray(0, length))
      assert.equal(answer?.status, length < 27 ? undefined : 'failed', String(length))
    }
  })

  test('the owner may be spelled out or a pointer', () => {
    for (const owner of [OWNER, labels('A', 'Example')]) assert.equal(read(withAnswers({}, record(1, Buffer.from([192, 0, 2, 1]), { owner })))?.status, 'records')
  })
})
