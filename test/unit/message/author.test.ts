/** Who a message says it is from: every reading a mail client might make of From, and none missed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAuthors, type AuthorReading } from '../../../src/message/author.ts'
import { decodeWords } from '../../../src/message/author-words.ts'
import { fuzz, type Random } from '../../support/fuzzing.ts'

/** One character a byte. */
const bytes = (text: string): string => Buffer.from(text).toString('latin1')

function domains(...fields: readonly string[]): readonly string[] {
  const reading = readAuthors(fields.map(bytes))
  assert.equal(reading.status, 'domains', JSON.stringify([fields, reading]))
  return domainsOf(reading)
}

function plain(field: string): { readonly domains: readonly string[]; readonly shown: readonly string[]; readonly addresses: readonly string[] } {
  const reading = readAuthors([bytes(field)])
  assert.ok(reading.status === 'domains' && reading.doubt === '', JSON.stringify([field, reading]))
  return reading
}

function doubtful(field: string): readonly string[] {
  const reading = readAuthors([bytes(field)])
  assert.ok(reading.status === 'domains' && reading.doubt !== '' && reading.shown.length === 0, JSON.stringify([field, reading]))
  return reading.domains
}

test('one author, in the ways of RFC 5322', () => {
  const ways = [
    'a@b.example', ' a@b.example ', '<a@b.example>', 'Joe <a@b.example>', '"Joe, Q." <a@b.example>', 'John Q. Public <a@b.example>', 'a@b.example (Joe)', '(x) Joe <a@b.example> (y)',
    'Joe\r\n <a@b.example>', 'Joe <a@b.example>\r\n', 'Joe\n\t<a@b.example>', 'Joe < a@b.example >', 'a@B.Example', 'team: a@b.example;', '=?utf-8?q?J=C3=B6rg?= <a@b.example>', 'Jörg <a@b.example>', '"\\"J\\"" <a@b.example>',
    '(a (nested \\) comment)) a@b.example', '"a b"@b.example',
  ]
  for (const way of ways) {
    assert.deepEqual(plain(way).domains, ['b.example'], way)
    assert.deepEqual(readAuthors([Buffer.from(way)]), readAuthors([bytes(way)]))
  }
})

test('several authors, each domain once, in order; groups', () => {
  assert.deepEqual(plain('a@b.example, Joe <c@d.example>,e@B.example').domains, ['b.example', 'd.example'])
  assert.deepEqual(plain('a@b.example, Joe <c@d.example>').addresses, ['a@b.example', 'c@d.example'])
  assert.deepEqual(plain('x: a@b.example, J <c@d.example>;, "y z": e@f.example;').domains, ['b.example', 'd.example', 'f.example'])
})

test('names in Unicode become A-labels', () => {
  assert.deepEqual(plain('a@bücher.example').domains, ['xn--bcher-kva.example'])
  assert.deepEqual(plain('почта@пример.example').domains, ['xn--e1afmkfd.example'])
  assert.deepEqual(plain('a@XN--bcher-kva.example, b@BÜCHER.example').domains, ['xn--bcher-kva.example'])
  assert.deepEqual(plain('a@pay\u00adpal.example').domains, ['paypal.example'])
  assert.deepEqual(plain('a@ｐａｙｐａｌ。example').domains, ['paypal.example'])
})

test('nobody', () => {
  for (const fields of [[], [''], [' \r\n '], ['', ''], ['undisclosed:;'], ['a: (nobody) ;'], ['a@[192.0.2.1]'], ['a@[IPv6:2001:db8::1]'], ['a@192.0.2.1'], ['a @ [192.0.2.1]']]) {
    assert.equal(readAuthors(fields).status, 'none', JSON.stringify(fields))
  }
})

test('what no domain can be read from', () => {
  const label = 'x'.repeat(64)
  for (const field of ['Joe', '<>', '@', '<@>', '"a"', ':;', '\0', '\xff\xfe', 'a@', `a@${label}.example`, `a@${'b.'.repeat(127)}example`, `a@${label}.victim.example, c@d.example`, `c@d.example, x <a@${label}.victim.example`]) {
    assert.equal(readAuthors([field]).status, 'malformed', JSON.stringify(field))
  }
})

test('an address in a display name or comment is no author, and is told', () => {
  for (const field of ['"v@victim.example" <a@b.example>', '"v@victim.example via List" <a@b.example>', '(v@victim.example) a@b.example', '"J (v@victim.example)" <a@b.example>', '=?utf-8?q?v=40victim.example?= <a@b.example>',
    '=?utf-8?q?v=40vic?= =?utf-8?b?dGltLmV4YW1wbGU=?= <a@b.example>', '"v＠victim.example" <a@b.example>', 'v＠victim.example <a@b.example>', '"v@victim.example": a@b.example;', '"=?utf-8?q?v=40victim.example?=" <a@b.example>']) {
    assert.deepEqual([plain(field).domains, plain(field).shown], [['b.example'], ['victim.example']], field)
  }
  assert.deepEqual(plain('"a@b.example" <a@b.example>').shown, [])
})

/** Published ways to make two parsers see two authors, and ours. */
const AMBIGUOUS: readonly (readonly [string, readonly string[]])[] = [
  ['v@victim.example <a@b.example>', ['victim.example', 'b.example']],
  ['<v@victim.example> <a@b.example>', ['victim.example', 'b.example']],
  ['"<v@victim.example>" <a@b.example>', ['victim.example', 'b.example']],
  ['"v@victim.example," <a@b.example>', ['victim.example', 'b.example']],
  ['"v@victim.example\\" <a@b.example>', ['victim.example', 'b.example']],
  ['=?utf-8?b?PHZAdmljdGltLmV4YW1wbGU+?= <a@b.example>', ['b.example', 'victim.example']],
  ['=?utf-8?b?PHZAdmljdGltLmV4YW1wbGU+LCA=?=, <a@b.example>', ['b.example', 'victim.example']],
  ['<a@b.example(v@victim.example)>', ['b.example', 'victim.example']],
  ['<(v@victim.example)a@b.example>', ['victim.example', 'b.example']],
  ['<@victim.example,@x.example:a@b.example>', ['victim.example', 'x.example', 'b.example']],
  ['<@victim.example:a@b.example>', ['victim.example', 'b.example']],
  ['"v@victim.example"@b.example', ['victim.example', 'b.example']],
  ['=?utf-8?q?v=40victim.example?=@b.example', ['b.example', 'victim.example']],
  ['v@victim.example\\,a@b.example', ['victim.example', 'b.example']],
  ['v@victim.example@b.example', ['victim.example', 'b.example']],
  ['v@victim.example;a@b.example', ['victim.example', 'b.example']],
  ['(x (y) v@victim.example) a@b.example', ['victim.example', 'b.example']],
  ['Joe <v@victim.example', ['victim.example']],
  ['v@victim.example>', ['victim.example']],
  ['"Joe <v@victim.example>', ['victim.example']],
  ['(Joe <v@victim.example>', ['victim.example']],
  ['v@victim.example\0', ['victim.example']],
  ['v@\0victim.example', ['victim.example']],
  ['v@victim.example\0.b.example', ['victim.example', 'victim.example.b.example']],
  ['v@vic\r\n tim.example', ['vic', 'victim.example']],
  ['v@victim .example', ['victim', 'victim.example']],
  ['v@victim(x).example', ['victim', 'victim.example']],
  ['v@victim.(x)example', ['victim', 'victim.example']],
  ['v @ victim.example', ['victim.example']],
  ['v @victim.example', ['victim.example']],
  ['v@ victim.example', ['victim.example']],
  // a reader may leave out the one and stop at the other
  ['v@victim . example junk', ['victim', 'victim.example', 'victim.examplejunk']],
  ['v@vic\r\n tim.example junk', ['vic', 'victim.example', 'victim.examplejunk']],
  ['v@vic(x)tim.example junk', ['vic', 'victim.example', 'victim.examplejunk']],
  ['v@victim.example.', ['victim.example']],
  ['v@victim..example', ['victim.example']],
  ["v@'victim.example'", ['victim.example']],
  ['v@"victim.example"', ['victim.example']],
  ['v@victim.example\r', ['victim.example']],
  ['a@b.example\rv@victim.example', ['b.example', 'b.examplev', 'victim.example']],
  ['a@b.example,', ['b.example']],
  [',a@b.example,,c@d.example', ['b.example', 'd.example']],
  ['v@victim.example（secure）', ['victim.example']],
  ['v@victim.example\u202e', ['victim.example']],
  ['a@[v@victim.example]', ['victim.example']],
  ['v@[victim.example]', ['victim.example']],
]

test('where readers differ, all that any of them sees', () => {
  for (const [field, expected] of AMBIGUOUS) {
    const found = doubtful(field)
    for (const domain of expected) assert.ok(found.includes(domain), `${JSON.stringify(field)}: ${JSON.stringify(found)}`)
    assert.ok(found.length <= expected.length + 2, `${JSON.stringify(field)}: ${JSON.stringify(found)}`)
  }
})

test('two From fields: both, whatever stands in them', () => {
  assert.deepEqual(domains('a@b.example', 'v@victim.example'), ['b.example', 'victim.example'])
  assert.deepEqual(domains('', 'v@victim.example'), ['victim.example'])
  assert.deepEqual(domains('a@b.example', '"v@victim.example" <a@b.example>'), ['b.example', 'victim.example'])
  const reading = readAuthors(['a@b.example', 'a@b.example'])
  assert.equal(reading.status === 'domains' && reading.doubt, 'there are 2 From fields')
})

test('8-bit text that is no UTF-8 is read in both ways', () => {
  const reading = readAuthors(['J\xfcrgen <a@b\xfccher.example>'])
  assert.ok(reading.status === 'domains' && reading.doubt === 'From is not valid UTF-8')
  assert.ok(reading.domains.includes('xn--bcher-kva.example'))
  assert.deepEqual(readAuthors(['J\xfcrgen <a@b.example>']), { status: 'domains', domains: ['b.example'], addresses: ['a@b.example'], shown: [], doubt: 'From is not valid UTF-8' })
  assert.ok(domainsOf(readAuthors(['v@victim.example\xff'])).includes('victim.example'))
  assert.ok(domainsOf(readAuthors([`\xff <a@${bytes('è.example')}>`])).includes('xn--8ca.example'), 'what is no name in Latin-1 is no fault')
})

function domainsOf(reading: AuthorReading): readonly string[] {
  return reading.status === 'domains' ? reading.domains : []
}

test('bounds: bytes, addresses, domains; what lies beyond is not guessed', () => {
  const cause = (...fields: readonly string[]): string => {
    const reading = readAuthors(fields)
    return reading.status === 'malformed' ? reading.cause : reading.status
  }
  assert.equal(cause(`${'x'.repeat(65_536 - 12)} <a@b.example>`), 'From has 65538 bytes; at most 65536 are read')
  assert.equal(cause('a@b.example', ' '.repeat(65_536)), 'From has 65547 bytes; at most 65536 are read')
  const list = (count: number, domain: (i: number) => string): string => Array.from({ length: count }, (_, i) => `u${i}@${domain(i)}`).join(',')
  assert.equal(cause(list(101, () => 'b.example')), 'From holds more than 100 addresses')
  assert.equal(cause(`${list(101, () => 'b.example')}(`), 'From holds more than 100 addresses')
  assert.equal(cause(list(100, () => 'b.example')), 'domains')
  assert.equal(cause(list(11, (i) => `b${i}.example`)), 'From names 11 domains; at most 10 are asked about')
  assert.equal(cause(`${list(11, (i) => `b${i}.example`)} junk`), 'From names 12 domains; at most 10 are asked about')
  assert.equal(cause(list(10, (i) => `b${i}.example`)), 'domains')
  const shown = readAuthors([`"${Array.from({ length: 50 }, (_, i) => `v@v${i}.example`).join(' ')}" <a@b.example>`])
  assert.equal(shown.status === 'domains' && shown.shown.length, 10)
})

test('encoded words (RFC 2047): what a client shows', () => {
  assert.equal(decodeWords('=?utf-8?q?a=40b?='), 'a@b')
  assert.equal(decodeWords('x =?UTF-8*en?B?w7w=?= =?utf-8?q?=C3?=\r\n =?utf-8?q?=BC?= y'), 'x üü y')
  assert.equal(decodeWords('=?iso-8859-1?q?_=FC_?='), ' ü ')
  assert.equal(decodeWords('=?x-unknown?q?a=40b=FF?='), 'a@bÿ')
  assert.equal(decodeWords('=?utf-8?q?a b?= =?utf-8?x?a?= =?= =?utf-8?q?'), 'a b =?utf-8?x?a?= =?= =?utf-8?q?')
  assert.equal(decodeWords('=?utf-8?b?YUBi\r\n Lmc=?='), 'a@b.g')
})

const PIECES = ['a', 'Joe', 'x@y.example', '<', '>', '"', '(', ')', ',', ';', ':', '@', '.', '\\', ' ', '\t', '\r\n ', '\r', '\n', '\0', '\xff', '\xc3\xbc', '[', ']', '[192.0.2.1]', '=?utf-8?q?', '?=', '=?utf-8?b?PHZAeC5leGFtcGxlPg==?=', '=40', "'", '%', '!', '\xe2\x80\xae', '\xef\xbc\xa0', 'xn--', 'g:', ':;', '(c)', '"q"']

fuzz('From: whatever stands there has an answer that keeps its word', 6000, (random) => {
  const fields = Array.from({ length: random.chance(0.1) ? 2 : 1 }, () => (random.chance(0.1) ? random.bytes(80) : random.soup(PIECES, 24)))
  const reading = readAuthors(fields)
  assert.deepEqual(readAuthors(fields.map((field) => Buffer.from(field, 'latin1'))), reading)
  if (reading.status !== 'domains') return assert.ok(reading.cause !== '')
  assert.ok(reading.domains.length >= 1 && reading.domains.length <= 10 && reading.addresses.length <= 100 && reading.shown.length <= 10)
  for (const domain of [...reading.domains, ...reading.shown]) assert.match(domain, /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/)
  assert.equal(new Set([...reading.domains, ...reading.shown]).size, reading.domains.length + reading.shown.length)
})

fuzz('From: an address that stands there is never missed', 6000, (random) => {
  const around = (): string => random.soup(PIECES, 10)
  // Without something that ends the name it would be another name.
  const field = `${around()}v@victim.example${random.pick(['>', ' ', ',', ')', '"', ';', '\0', '\r\n ', '<', ''])}`
  const reading = readAuthors([random.chance(0.5) ? field + (/[a-z]$/.test(field) ? '' : around()) : field])
  if (reading.status === 'domains') assert.ok(reading.domains.includes('victim.example') || reading.shown.includes('victim.example'), JSON.stringify([field, reading]))
  else assert.equal(reading.status, 'malformed', JSON.stringify([field, reading]))
})

fuzz('From: a second field takes nothing away', 2000, (random) => {
  const fields = [random.soup(PIECES, 12), random.soup(PIECES, 12)]
  const both = readAuthors(fields)
  if (both.status === 'malformed') return
  for (const field of fields) for (const domain of domainsOf(readAuthors([field]))) assert.ok(domainsOf(both).includes(domain), JSON.stringify([fields, domain]))
})

function mailbox(random: Random, domain: string): string {
  const address = `${random.pick(['a', 'a.b', '"a b"', 'a+b', 'ü'])}@${domain}`
  const name = random.pick(['', 'Joe ', '"Joe, Q." ', '=?utf-8?q?J=C3=B6?= ', '(c) ', 'J. Q.\r\n ', 'Jörg '])
  return random.chance(0.3) ? `${address}${random.pick(['', ' (Joe)', '\r\n (x(y))'])}` : `${name}<${address}>`
}

fuzz('From: what is well formed is read as it is meant, and in one way', 3000, (random) => {
  const wanted = Array.from({ length: 1 + random.below(5) }, () => random.pick(['b.example', 'd.example', 'mail.f.example', 'g_h.example', 'x-1.example']))
  const boxes = wanted.map((domain) => mailbox(random, domain))
  const field = random.chance(0.3) ? `"the group": ${boxes.join(', ')};` : boxes.join(random.pick([',', ', ', ',\r\n ']))
  const read = plain(field)
  assert.deepEqual(read.domains, [...new Set(wanted)])
  assert.deepEqual(read.shown, [])
})

test('time grows with the length only', () => {
  const words = ['@', '@(', ')@(', '"', '\\"@', '=?utf-8?q?a@b?= ', '=?u?q?', 'a@..', '[@', '@\r\n ', '(a)', '(', 'a@b.example,', 'a@b.example ', '<', '\xff@']
  for (const word of words) {
    const began = performance.now()
    readAuthors([word.repeat(Math.floor(65_536 / word.length))])
    readAuthors([Array.from({ length: 99 }, () => `a@${word.repeat(Math.floor(600 / word.length))}`).join('')])
    assert.ok(performance.now() - began < 5000, JSON.stringify(word))
  }
})
