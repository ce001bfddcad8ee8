import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receivedSpf, type ReceivedSpfFacts } from '../../../src/message/received-spf.ts'
import { Random } from '../../support/fuzzing.ts'
import { sectionOf } from '../../support/stored-message.ts'

const FACTS: ReceivedSpfFacts = { result: 'pass', clientIp: '192.0.2.1', envelopeFrom: 'a@b.example', helo: 'h.example', receiver: 'mx.example', identity: 'mailfrom' }
const pairs = 'receiver=mx.example; identity=mailfrom;\r\n client-ip=192.0.2.1; envelope-from="a@b.example"; helo=h.example\r\n'

test('the field (RFC 7208 §9.1)', () => {
  assert.equal(receivedSpf(FACTS), `Received-SPF: pass ${pairs}`)
  assert.equal(
    receivedSpf({ ...FACTS, comment: 'mx.example: domain of a@b.example designates 192.0.2.1 as permitted sender', mechanism: 'ip4:192.0.2.0/24' }),
    'Received-SPF: pass (mx.example: domain of a@b.example designates 192.0.2.1 as\r\n' +
    ' permitted sender) receiver=mx.example; identity=mailfrom;\r\n' +
    ' client-ip=192.0.2.1; envelope-from="a@b.example"; helo=h.example;\r\n' +
    ' mechanism="ip4:192.0.2.0/24"\r\n',
  )
})

test('each result, and why it is an error', () => {
  for (const result of ['pass', 'fail', 'softfail', 'neutral', 'none'] as const) assert.ok(receivedSpf({ ...FACTS, result }).startsWith(`Received-SPF: ${result} receiver=`))
  for (const result of ['temperror', 'permerror'] as const) assert.match(receivedSpf({ ...FACTS, result, problem: 'more than 10 look-ups' }), /; helo=h\.example;\r\n problem="more than 10 look-ups"\r\n$/)
})

test('values: a dot-atom as it is, all else in quotes; the null reverse-path is there', () => {
  for (const [facts, part] of [
    [{ clientIp: '2001:db8::1' }, 'client-ip="2001:db8::1";'], [{ envelopeFrom: null }, 'envelope-from="<>";'], [{ envelopeFrom: '' }, 'envelope-from="<>";'], [{ envelopeFrom: '"a b"@c.example' }, 'envelope-from="\\"a b\\"@c.example";'],
    [{ helo: '[192.0.2.1]' }, 'helo="[192.0.2.1]"'], [{ helo: '' }, 'helo=""'], [{ helo: 'a..b' }, 'helo="a..b"'], [{ helo: 'jörg' }, 'helo=j?rg'], [{ mechanism: 'all' }, 'mechanism=all'], [{ identity: 'helo' }, 'identity=helo;'],
  ] as const) assert.ok(receivedSpf({ ...FACTS, ...facts }).replaceAll('\r\n', '').includes(` ${part}`), part)
})

test('whatever strangers say, it is one field, and its keys are ours', () => {
  const words = ['; helo=x', '\r\n', '\n', '\0', '"', '\\', '(', ')', ';', ' ', '=', 'identity=helo', 'x'.repeat(90), 'x'.repeat(1000), '\xe4', '€', '\r\n\r\nbody']
  for (let seed = 0; seed < 3000; seed++) {
    const random = new Random(seed)
    const say = () => random.soup(words, 12)
    const field = receivedSpf({ ...FACTS, result: 'permerror', comment: say(), envelopeFrom: say(), helo: say(), mechanism: say(), problem: say(), clientIp: say() })
    const section = sectionOf(`${field}From: a\r\nDate: b\r\n\r\n`)
    assert.deepEqual([section.anomalies.size, section.fields.map(({ key }) => key)], [0, ['received-spf', 'from', 'date']], field)
    assert.match(field, /^[\x20-\x7e\r\n]*$/)
    // without quoted strings and the comment, the grammar is all that is left
    const bare = field.replaceAll('\r\n', '').replace(/^(Received-SPF: permerror) \((?:[^()\\]|\\.)*\)/, '$1').replace(/"(?:[^"\\]|\\.)*"/g, 'q')
    assert.match(bare, /^Received-SPF: permerror receiver=mx\.example; identity=mailfrom; client-ip=[^\s;()"]+; envelope-from=[^\s;()"]+; helo=[^\s;()"]+; mechanism=[^\s;()"]+; problem=[^\s;()"]+$/)
  }
})
