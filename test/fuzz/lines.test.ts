/** Commands, addresses, attributes, capabilities, replies, PROXY headers: no throw, no ambiguity, nothing that breaks a line. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { parseDomain, parsePath } from '../../src/smtp/address.ts'
import { networkOf } from '../../src/smtp/admission.ts'
import { parseCapabilities } from '../../src/smtp/capabilities.ts'
import { mailCommand, rcptCommand } from '../../src/smtp/client-commands.ts'
import { parseCommand } from '../../src/smtp/command.ts'
import { checkParameters } from '../../src/smtp/parameters.ts'
import { plain, readProxyHeader } from '../../src/smtp/proxy-protocol.ts'
import { formatReply, type Reply } from '../../src/smtp/reply.ts'
import { isMalformed, ReplyParser, type ParsedReply } from '../../src/smtp/reply-parser.ts'
import { parseAttributes, XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from '../../src/smtp/xclient.ts'
import { clientCommands } from '../../src/smtp/xforward.ts'
import { decodeXtext, encodeXtext } from '../../src/smtp/xtext.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'

const latin1 = (text: string) => Buffer.from(text).toString('latin1')
const ADDRESS = ['a', 'user', '@', '@', '.', '"', '\\', '<', '>', '%', '!', ':', ',', ' ', '[', ']', 'IPv6:', '192.0.2.1', '2001:db8::1', '::', 'hop.example', 'elsewhere.example',
  'postmaster', '-', '_', '/', '?', '#', '|', '(', ')', '\t', latin1('ｏ'), latin1('ü'), latin1('。'), latin1('／'), latin1('＠'), '\xff', 'xn--']
const COMMAND = ['EHLO ', 'HELO ', 'LHLO ', 'MAIL FROM:', 'RCPT TO:', 'DATA', 'BDAT ', 'LAST', 'RSET', 'NOOP', 'QUIT', 'VRFY ', 'EXPN', 'HELP', 'STARTTLS', 'XCLIENT ', 'XFORWARD ', '<a@b.example>', '<>',
  ' SIZE=', ' BODY=', '8BITMIME', 'BINARYMIME', ' SMTPUTF8', ' RET=FULL', ' ENVID=', ' NOTIFY=NEVER', ' ORCPT=rfc822;', ' AUTH=<>', ' REQUIRETLS', '=', '+2B', '+', '12', '999999999999999', ' ', '  ', ...ADDRESS]
const OFFERED = new Map(['SIZE', '8BITMIME', 'BINARYMIME', 'SMTPUTF8', 'DSN', 'AUTH', 'REQUIRETLS', 'CHUNKING'].map((keyword) => [keyword, '']))

function isReply(reply: Reply): void {
  assert.match(formatReply(reply), /^(?:[2-5]\d\d[ -][\x20-\x7e]*\r\n)+$/, 'a reply of ours is printable and ends its lines')
}

fuzz('commands', 60_000, (random) => {
  const line = (random.chance(0.5) ? random.soup(COMMAND, 12) : random.spoil(random.pick(['MAIL FROM:<a@b.example> SIZE=1 BODY=8BITMIME', 'RCPT TO:<a@b.example> NOTIFY=NEVER', 'BDAT 12 LAST', 'XCLIENT ADDR=192.0.2.1']), COMMAND)).replace(/\n/g, ' ')
  const command = parseCommand(line)
  if (command.verb === 'malformed') return isReply(command.reply)
  if (command.verb === 'BDAT') assert.ok(Number.isSafeInteger(command.octets) && command.octets >= 0)
  if (command.verb !== 'MAIL' && command.verb !== 'RCPT') return
  const { envelope } = command
  assert.ok(envelope.parameters.length <= 20)
  assert.doesNotMatch(envelope.path.wire + envelope.parameters.map((p) => p.value ?? '').join(''), /[\x00-\x08\x0a-\x1f\x7f]/)
  const refusal = checkParameters(command.verb, envelope, OFFERED)
  if (refusal !== undefined) return isReply(refusal)
  // What the client said is what the hop is told.
  const sent = command.verb === 'MAIL' ? mailCommand(envelope, OFFERED) : rcptCommand(envelope, OFFERED)
  if (sent.status !== 'line') return
  assert.match(sent.line, /^[^\r\n\0]+\r\n$/)
  const again = parseCommand(sent.line.slice(0, -2))
  assert.ok(again.verb === command.verb && 'envelope' in again, sent.line)
  assert.deepEqual(again.envelope.path.mailbox, envelope.path.mailbox)
})

fuzz('addresses', 60_000, (random) => {
  const text = random.chance(0.5) ? random.soup(ADDRESS, 12) : `<${random.spoil(random.pick(['user@hop.example', '"a b"@hop.example', '@r.example:user@hop.example', 'user@[192.0.2.1]', latin1('ü@ｏurs.example')]), ADDRESS)}>`
  const result = parsePath(text, 0)
  if (result.status === 'malformed') return assert.match(result.why, /^[\x20-\x7e]+$/)
  assert.ok(result.end <= text.length)
  const { wire, mailbox } = result.path
  assert.ok(wire.startsWith('<') && wire.endsWith('>'))
  assert.deepEqual(parsePath(wire, 0), { status: 'ok', path: result.path, end: wire.length }, 'what goes on is what was read')
  if (mailbox === null) return assert.equal(wire, '<>')
  if (String(mailbox.domain) === '') return assert.equal(wire.toLowerCase(), '<postmaster>')
  // However a hop looks for the domain, it finds this one, and the first at sign outside quotes is the last.
  assert.equal(parseDomain(wire.slice(wire.lastIndexOf('@') + 1, -1)), mailbox.domain)
  assert.match(mailbox.domain, /^(?:[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[a-z0-9:.]+\])$/)
  assert.equal(wire.slice(1, -1).replace(/"(?:\\.|[^"\\])*"/s, '').split('@').length, 2)
})

fuzz('XCLIENT and XFORWARD attributes', 40_000, (random) => {
  const words = ['NAME=', 'ADDR=', 'PORT=', 'PROTO=', 'HELO=', 'LOGIN=', 'IDENT=', 'SOURCE=', ' ', '=', '+', '+0D', '+0A', '+20', '[UNAVAILABLE]', '[TEMPUNAVAIL]', '192.0.2.1', 'IPV6:', '2001:DB8::1', '::ffff:', '%eth0', '25', '65536', 'ESMTP', 'LOCAL', 'spike.example', 'x'.repeat(300)]
  const known = random.pick([XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES])
  const result = parseAttributes(random.soup(words, 10), known)
  if (result.status === 'malformed') return assert.match(result.at, /^[\x21-\x7e]{0,40}$/)
  for (const [name, value] of result.attributes) {
    assert.ok(known.some((one) => one === name))
    if (value === undefined) continue
    assert.ok(value !== '' && value.length <= 255)
    assert.doesNotMatch(value, /[\x00-\x1f\x7f]/)
    if (name === 'ADDR') assert.equal(plain(value), value)
    if (name === 'ADDR') assert.ok(isIP(value) !== 0)
  }
  // What we were told, told on: one line stays one line.
  const of = (name: string) => result.attributes.get(name)
  for (const verb of ['XCLIENT', 'XFORWARD'] as const) {
    const client = { address: of('ADDR'), port: 25, name: of('NAME'), helo: of('HELO'), protocol: 'ESMTP' as const, login: of('LOGIN'), source: 'REMOTE' as const, ident: 'ID' }
    for (const line of clientCommands(verb, 'NAME ADDR PORT PROTO HELO LOGIN IDENT SOURCE', client)) {
      assert.match(line, /^[\x20-\x7e]+\r\n$/)
      assert.equal(parseAttributes(line.slice(verb.length + 1, -2), verb === 'XCLIENT' ? XCLIENT_ATTRIBUTES : XFORWARD_ATTRIBUTES).status, 'ok', line)
    }
  }
})

fuzz('xtext', 40_000, (random) => {
  const text = random.bytes(20)
  const encoded = encodeXtext(text)
  assert.match(encoded, /^[\x21-\x7e]*$/)
  assert.equal(decodeXtext(encoded), text)
  const decoded = decodeXtext(random.soup(['+', '+2B', '+zz', '=', 'a', '+0'], 8))
  assert.ok(decoded === undefined || typeof decoded === 'string')
})

fuzz('capabilities', 30_000, (random) => {
  for (const [keyword, value] of parseCapabilities(Array.from({ length: random.below(6) }, () => random.soup(['SIZE', ' ', '10', 'DSN', '-', 'AUTH ', '=', '\t'], 6)))) {
    assert.match(keyword, /^[A-Z0-9][A-Z0-9-]*$/)
    assert.equal(value, value.trim())
  }
})

function readReplies(pieces: readonly Buffer[]): ParsedReply[] {
  const parser = new ReplyParser()
  const found: ParsedReply[] = []
  for (const piece of pieces) {
    parser.feed(piece)
    for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
      found.push(reply)
      if (isMalformed(reply)) return found
    }
  }
  return found
}

fuzz('replies of a hop', 40_000, (random) => {
  const words = ['250 ok\r\n', '250-a\r\n', '250 ', '250-', '354 go\r\n', '550 5.1.1 no\r\n', '421', '\r\n', '\n', '\r', '\0', '25', '999', '2x0 ', '-', ' ', 'text', '\xff', 'x'.repeat(5000)]
  const bytes = Buffer.from(random.soup(words, 20), 'latin1')
  const whole = readReplies([bytes])
  const split = readReplies(random.pieces(bytes))
  // A line that never ends is refused once it is too long, whichever piece it comes in.
  assert.deepEqual(split.map(kind), whole.map(kind))
  for (const reply of whole) {
    if (isMalformed(reply)) assert.ok(reply.detail.length <= 1000 && /^[^\x00-\x1f\x7f-\x9f]*$/.test(reply.detail))
    else assert.match(formatReply(reply), /^(?:[2-5]\d\d(?:[ -][^\r\n\0]*)?\r\n)+$/)
  }
})

function kind(reply: ParsedReply): unknown {
  return isMalformed(reply) ? 'malformed' : reply
}

function proxyHeader(random: Random): Buffer {
  const words = ['PROXY ', 'TCP4 ', 'TCP6 ', 'UNKNOWN', '192.0.2.1 ', '2001:db8::1 ', '::ffff:192.0.2.1 ', '25 ', '4321', '65536', '\r\n', ' ', '%eth0']
  if (random.chance(0.5)) return Buffer.from(random.spoil('PROXY TCP4 192.0.2.7 198.51.100.1 4321 25\r\nEHLO a\r\n', words), 'latin1')
  if (random.chance(0.5)) return Buffer.from(`PROXY ${random.soup(words, 10)}`, 'latin1')
  const head = Buffer.alloc(16)
  head.write('\r\n\r\n\0\r\nQUIT\n', 'latin1')
  head.writeUInt8(random.pick([0x20, 0x21, 0x22, 0x11, 0x21]), 12)
  head.writeUInt8(random.pick([0x00, 0x11, 0x12, 0x21, 0x31, 0x41]), 13)
  head.writeUInt16BE(random.pick([0, 11, 12, 36, 40, 216, 300]), 14)
  return Buffer.concat([head, Buffer.from(random.bytes(300), 'latin1')])
}

fuzz('PROXY headers', 30_000, (random) => {
  const bytes = proxyHeader(random)
  const whole = readProxyHeader(bytes)
  let length = 0
  let grown = readProxyHeader(bytes.subarray(0, 0))
  while (grown.status === 'incomplete' && length < bytes.length) grown = readProxyHeader(bytes.subarray(0, ++length))
  assert.deepEqual(grown, whole, 'the same in pieces')
  if (whole.status === 'incomplete') assert.ok(bytes.length < 16 + 65_535)
  if (whole.status === 'malformed') assert.match(whole.why, /^[\x20-\x7e]+$/)
  if (whole.status !== 'ok') return
  assert.ok(whole.length <= bytes.length)
  if (whole.client === undefined) return
  assert.ok(isIP(whole.client.address) !== 0 && whole.client.port <= 65_535)
  assert.equal(plain(whole.client.address), whole.client.address)
  networkOf(whole.client.address)
})
