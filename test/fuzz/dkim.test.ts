/** DKIM: canonicalisers against a plain reading of RFC 6376 §3.4, what is signed against what is verified, and what strangers may write. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { BodyHashes } from '../../src/auth/dkim/body-hash.ts'
import { bodyCanonicalizer } from '../../src/auth/dkim/canonical-body.ts'
import { canonicalField } from '../../src/auth/dkim/canonical-header.ts'
import { chooseRecord, readKeyRecord } from '../../src/auth/dkim/key-record.ts'
import { MessageSigner } from '../../src/auth/dkim/message-signer.ts'
import { readSignature } from '../../src/auth/dkim/signature.ts'
import type { Canonicalization, SigningOrder } from '../../src/auth/dkim/signing-order.ts'
import { parseTagList } from '../../src/auth/dkim/tag-list.ts'
import { verifyDkim } from '../../src/auth/dkim.ts'
import { verifyMessage } from '../../src/auth/message-authentication.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'
import { zoneMap } from '../support/zone-map.ts'

const SHAPES = ['simple', 'relaxed'] as const
const BODY = ['\r\n', '\r\n', '\r\n\r\n', '\r', '\n', ' ', ' ', '\t', '  ', ' \r\n', '\t\r\n', 'a', 'word', '\0', '\xff', 'x'.repeat(600), ' '.repeat(40), '\r\n'.repeat(30)]

/** RFC 6376 §3.4.3 and §3.4.4, as they are written. */
function plainBody(canonicalization: Canonicalization, body: string): string {
  const lines = body.split('\r\n')
  const reduced = canonicalization === 'simple' ? lines : lines.map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (reduced.at(-1) === '') reduced.pop()
  if (reduced.length === 0) return canonicalization === 'simple' ? '\r\n' : ''
  return `${reduced.join('\r\n')}\r\n`
}

/** RFC 6376 §3.4.2, by its steps. */
function plainRelaxedField(text: string): string {
  const colon = text.indexOf(':')
  const value = text.slice(colon + 1).replace(/\r\n$/, '').replace(/\r\n([ \t])/g, '$1').replace(/[ \t]+/g, ' ').replace(/^ /, '').replace(/ $/, '')
  return `${text.slice(0, colon).replace(/[ \t]/g, '').toLowerCase()}:${value}\r\n`
}

fuzz('DKIM bodies', 8_000, (random) => {
  const body = random.soup(BODY, 40)
  const bytes = Buffer.from(body, 'latin1')
  for (const canonicalization of SHAPES) {
    const plain = plainBody(canonicalization, body)
    let out = ''
    const canonicalizer = bodyCanonicalizer(canonicalization, { write: (piece) => { out += Buffer.from(piece).toString('latin1') } })
    for (const piece of random.pieces(bytes)) canonicalizer.write(piece)
    canonicalizer.end()
    assert.equal(out, plain)

    const hashes = new BodyHashes()
    const limit = random.below(plain.length + 3)
    const [all, some] = [hashes.want(canonicalization), hashes.want(canonicalization, limit)]
    for (const piece of random.pieces(bytes)) hashes.write(piece)
    hashes.end()
    const digest = (text: string) => createHash('sha256').update(text, 'latin1').digest('base64')
    assert.deepEqual(all(), { digest: digest(plain), hashed: plain.length, total: plain.length })
    assert.deepEqual(some(), { digest: digest(plain.slice(0, limit)), hashed: Math.min(limit, plain.length), total: plain.length })
  }
})

fuzz('DKIM header fields', 20_000, (random) => {
  const value = random.soup([' ', '\t', '\r\n ', '\r\n\t', 'word', ':', ';', '\xe9', '\r\n \r\n '], 12, 0)
  const name = random.pick(['Subject', 'X-a', 'FROM'])
  const field = { key: name.toLowerCase(), text: `${name}${random.pick(['', ' ', '\t'])}:${value}\r\n` }
  assert.equal(canonicalField('simple', field), field.text)
  assert.equal(canonicalField('relaxed', field), plainRelaxedField(field.text))
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ed25519 = generateKeyPairSync('ed25519')
const KEYS = {
  'r._domainkey.example.com': { TXT: [`v=DKIM1; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`] },
  'e._domainkey.example.com': { TXT: [`v=DKIM1; k=ed25519; p=${ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`] },
}
const NOW = new Date('2026-03-01T00:00:00Z')
const LINES = ['Received: by x; now\r\n', 'To: b@example.net,\r\n c@example.net\r\n', 'Subject: s  t \r\n', 'Subject:\r\n u\r\n', 'X:\r\n', 'X: \xff\r\n\t\r\n v\r\n', 'Cc : d@example.net\r\n', 'Date: today\r\n']

function anyOrder(random: Random): SigningOrder {
  const kind = random.chance(0.1) ? 'rsa' : 'ed25519'
  const names = ['from', 'to', 'subject', 'x', 'cc', 'date', 'none'].filter(() => random.chance(0.6))
  return {
    key: { domain: 'example.com', selector: kind === 'rsa' ? 'r' : 'e', algorithm: `${kind}-sha256`, privateKey: (kind === 'rsa' ? rsa : ed25519).privateKey },
    canonicalization: { header: random.pick(SHAPES), body: random.pick(SHAPES) }, identity: random.chance(0.3) ? `${random.soup(['a', '.', '=', ';', '"'], 5, 0)}@x.example.com` : undefined,
    signedFields: names, oversignedFields: ['from', ...names.filter(() => random.chance(0.5))], lifetimeSeconds: random.chance(0.3) ? 60 : undefined,
  }
}

interface Signed {
  readonly fields: string
  readonly message: string
  readonly orders: readonly SigningOrder[]
}

async function anySigned(random: Random): Promise<Signed> {
  const header = random.soup(LINES, 6, 0)
  const at = random.below(2) === 0 ? 0 : header.length
  const message = `${header.slice(0, at)}From: Ada <ada@example.com>\r\n${header.slice(at)}\r\n${random.soup(BODY, 20)}`
  const orders = Array.from({ length: 1 + random.below(3) }, () => anyOrder(random))
  const made = await Promise.all([1, 2].map(async () => {
    const signer = new MessageSigner(() => orders)
    for (const piece of random.pieces(Buffer.from(message, 'latin1'))) signer.write(piece)
    return signer.finish({ above: [], now: NOW })
  }))
  const [one, other] = made
  assert.ok(one?.status === 'signed', JSON.stringify(one))
  assert.deepEqual(other, one, 'the same however it is cut')
  return { fields: one.fields.toString('latin1'), message, orders }
}

async function statuses(random: Random, message: string): Promise<string[]> {
  const bytes = Buffer.from(message, 'latin1')
  const pieces = bytes.length < 400 ? random.pieces(bytes) : [bytes]
  const { signatures } = await verifyDkim({ memory: random.chance(0.5) ? pieces : null, async *chunks() { for (const piece of pieces) yield await Promise.resolve(piece) } }, zoneMap(KEYS), NOW)
  return signatures.map(({ status, cause }) => (cause === '' ? status : `${status}: ${cause}`))
}

fuzz('DKIM, signed and verified', 1000, async (random) => {
  const { fields, message, orders } = await anySigned(random)
  assert.deepEqual(await statuses(random, fields + message), orders.map(() => 'pass'))
  for (const line of fields.split('\r\n')) assert.ok(line.length <= 78)
})

fuzz('DKIM, changed on its way', 800, async (random) => {
  const { fields, message, orders } = await anySigned(random)
  const split = message.indexOf('\r\n\r\n') + 4
  const [header, body] = [message.slice(0, split), message.slice(split)]
  const changedBody = random.spoil(body, BODY)
  const after = await statuses(random, fields + header + changedBody)
  for (const [i, { canonicalization }] of orders.entries()) {
    const same = plainBody(canonicalization.body, body) === plainBody(canonicalization.body, changedBody)
    assert.equal(after[i], same ? 'pass' : 'fail: body hash did not verify')
  }
  // From is always signed, and may not stand there twice.
  for (const changed of [header.replace('ada@', `ad${random.pick(['b', 'A', '\xe1'])}@`), `From: eve@example.com\r\n${header}`, header.replace('From', 'X-From'), header.replace('From', `${random.pick(['From', 'from '])}: eve@example.com\r\nFrom`)]) {
    for (const status of await statuses(random, fields + changed + body)) assert.equal(status, 'fail: bad signature')
  }
  // Nor is anything of a signature's own field free.
  const spoilt = fields.replace(/; bh=/, '; xnote=y; bh=').replace(/;\r\n\tbh=/, '; xnote=y;\r\n\tbh=')
  assert.equal((await statuses(random, spoilt + message))[0], 'fail: bad signature')
})

const TAGS = ['v=1', 'a=rsa-sha256', 'a=ed25519-sha256', 'a=rsa-sha1', 'c=relaxed/simple', 'c=relaxed', 'c=x/y/z', 'd=example.com', 'd=', 'd=.', 's=e', 's=r', 'h=from:to', 'h=::', 'h=from', 'bh=AAAA', 'b=AAAA', 'b=', 'i=@', 'i==40', 'i=a@sub.example.com', 'l=0', 'l=9999999999999999999999', 't=1', 'x=2', 't=-1', 'q=dns/txt', 'q=x', '=', 'x', '__proto__=1', 'constructor=2', 'bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', `b=${'A'.repeat(86)}==`]
const WORDS = [...TAGS, ';', '; ', ';;', ' ', '\r\n ', '\t', ':', '\xff', '\xc3\xbc', 'd=b\xc3\xbccher.example', ' '.repeat(300), ':'.repeat(600)]

fuzz('DKIM, signatures of strangers', 5000, async (random) => {
  const list = random.chance(0.5) ? random.soup(WORDS, 25) : random.spoil(`v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=e; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=${'A'.repeat(86)}==`, WORDS)
  const value = list.replace(/\r\n(?=[ \t])|[\r\n]/g, (end) => (end.length === 2 ? end : ' '))
  const name = random.pick(['DKIM-Signature', 'ARC-Message-Signature'])
  for (const kind of ['dkim', 'arc'] as const) readSignature({ key: name.toLowerCase(), text: `${name}: ${list}\r\n` }, kind)
  const bytes = Buffer.from(`${name}: ${value}\r\nARC-Seal: i=1; ${value}\r\nARC-Authentication-Results: i=1; x\r\nFrom: a\r\n\r\nbody\r\n`, 'latin1')
  const { dkim, arc } = await verifyMessage({ memory: [bytes], chunks: () => { throw new Error('it is in memory') } }, zoneMap(KEYS), NOW)
  assert.notEqual(dkim.status, 'pass')
  assert.equal(dkim.signatures.length, name === 'DKIM-Signature' ? 1 : 0)
  assert.notEqual(arc.status, 'pass')
  assert.match(JSON.stringify([dkim, arc]), /^[\x20-\x7e]*$/)
})

const RECORD = ['v=DKIM1', 'v=DKIM2', 'k=rsa', 'k=ed25519', 'k=', 'h=sha256', 'h=sha1', 'h=', 's=*', 's=email', 's=other', 't=y', 't=s:y', 't=', 'n=a note', 'p=', 'p=AAAA', 'p=MA==', KEYS['r._domainkey.example.com'].TXT[0] ?? '', KEYS['e._domainkey.example.com'].TXT[0] ?? '', ';', '; ', ' ', '=', '\xff', '\0', '\r\n', '__proto__=1']

fuzz('DKIM, key records of strangers', 20_000, (random) => {
  const text = random.chance(0.3) ? random.spoil(random.pick([...KEYS['r._domainkey.example.com'].TXT, ...KEYS['e._domainkey.example.com'].TXT]), RECORD) : random.soup(RECORD, 12).replaceAll('=', random.chance(0.9) ? '=' : '')
  const key = readKeyRecord(text)
  assert.deepEqual(readKeyRecord(text), key)
  assert.ok(key.status === 'key' ? key.bits >= 256 && key.bits <= 8192 : /^[\x20-\x7e]+$/.test(key.cause))
  assert.ok(['', text, 'v=DKIM1; p=A'].includes(chooseRecord(['', text, 'v=DKIM1; p=A'], random.pick(['rsa', 'ed25519']))))
})

fuzz('tag lists', 20_000, (random) => {
  const text = random.soup(WORDS, 15)
  const { tags, fault } = parseTagList(text)
  // §3.2: names and values between semicolons, blanks around them; one semicolon may come last.
  const parts = text.split(';').map((part) => /^[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=([^]*)$/.exec(part))
  const last = text.split(';').at(-1) ?? ''
  const named = (/^[ \t\r\n]*$/.test(last) && parts.length > 1 ? parts.slice(0, -1) : parts)
  const names = named.map((part) => part?.[1])
  assert.equal(fault === null, names.every((name) => name !== undefined) && new Set(names).size === names.length, JSON.stringify([text, fault]))
  for (const [name, { value, start, end }] of tags) {
    assert.equal(text.slice(start, end).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), value)
    assert.equal(named.find((part) => part?.[1] === name)?.[2], text.slice(start, end))
  }
})
