/** What is signed and how; whether it verifies is asked of mailauth here, of our own verifier in the fuzz targets. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { MessageSigner } from '../../../../src/auth/dkim/message-signer.ts'
import type { SigningOutcome } from '../../../../src/auth/dkim/message-signer.ts'
import type { SigningOrder } from '../../../../src/auth/dkim/signing-order.ts'
import type { HeaderSection } from '../../../../src/message/header-section.ts'

interface Library {
  readonly dkimVerify: (message: Buffer, options: object) => Promise<{ results: readonly { status: { result: string; comment?: string } }[] }>
}
const { dkimVerify } = createRequire(import.meta.url)('mailauth/lib/dkim/verify.js') as Library

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const record = (key: KeyObject): string => key.asymmetricKeyType === 'rsa'
  ? `v=DKIM1; k=rsa; p=${key.export({ type: 'spki', format: 'der' }).toString('base64')}`
  : `v=DKIM1; k=ed25519; p=${key.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`
const RECORDS: Readonly<Record<string, string>> = { 'r._domainkey.example.com': record(rsa.publicKey), 'e._domainkey.example.com': record(ed25519.publicKey) }

type Changes = Partial<Omit<SigningOrder, 'key'>> & { readonly privateKey?: KeyObject; readonly algorithm?: 'rsa-sha256' | 'ed25519-sha256'; readonly selector?: string; readonly domain?: string }

function order({ privateKey = rsa.privateKey, algorithm = privateKey.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256', selector = algorithm === 'rsa-sha256' ? 'r' : 'e', domain = 'example.com', ...rest }: Changes = {}): SigningOrder {
  return {
    key: { domain, selector, algorithm, privateKey }, canonicalization: { header: 'relaxed', body: 'relaxed' }, identity: undefined,
    signedFields: ['from', 'to', 'subject', 'date', 'message-id', 'cc', 'x'], oversignedFields: ['from', 'subject'], lifetimeSeconds: undefined, ...rest,
  }
}

const NOW = new Date('2026-03-01T12:00:00.500Z')
const SECONDS = 1772366400
const MESSAGE = 'Date: Sun, 1 Mar 2026 11:59:00 +0000\r\nFrom: Ada <ada@example.com>\r\nTo: bob@example.net,\r\n\tcarol@example.net\r\nSubject:  two  words \r\nX: 1\r\nX: 2\r\n\r\nAt \t four. \r\n\r\n .\r\n\r\n\r\n'

async function sign(message: string | readonly Buffer[], orders: readonly SigningOrder[], above: readonly string[] = []): Promise<SigningOutcome> {
  const signer = new MessageSigner(() => orders)
  for (const piece of typeof message === 'string' ? [Buffer.from(message, 'latin1')] : message) signer.write(piece)
  return signer.finish({ above: above.map((text) => Buffer.from(text, 'latin1')), now: NOW })
}

async function fieldsOf(...[message, orders, above]: Parameters<typeof sign>): Promise<string> {
  const outcome = await sign(message, orders, above)
  assert.ok(outcome.status === 'signed', JSON.stringify(outcome))
  return outcome.fields.toString('latin1')
}

async function verified(message: string, records = RECORDS): Promise<string[]> {
  const { results } = await dkimVerify(Buffer.from(message, 'latin1'), {
    strict: true, curTime: NOW,
    resolver: (name: string) => { const text = records[name]; return text === undefined ? Promise.reject(new Error(name)) : Promise.resolve([[text]]) },
  })
  return results.map(({ status: { result, comment } }) => (comment === undefined ? result : `${result} (${comment})`))
}

const SHAPES = (['simple', 'relaxed'] as const).flatMap((header) => (['simple', 'relaxed'] as const).map((body) => ({ header, body })))

test('what is signed verifies, in each canonicalisation, with RSA and Ed25519 on one message', async () => {
  const bodies = ['', '\r\n', '\r\n\r\n', ' \r\n', 'a', 'a\r\n', 'a \r\n\r\n', '\r\n\r\na  b\t\r\n', '.\r\n..\r\n', 'caf\xe9 \xff\0\r\n', `${'x'.repeat(5000)}  y\r\n`, `a${' '.repeat(40_000)}b${'\r\n'.repeat(30_000)}c${'\r\n'.repeat(9)}`]
  for (const canonicalization of SHAPES) {
    for (const body of bodies) {
      const message = MESSAGE.slice(0, MESSAGE.indexOf('\r\n\r\n') + 4) + body
      const fields = await fieldsOf(message, [order({ canonicalization }), order({ canonicalization, privateKey: ed25519.privateKey })])
      assert.deepEqual(await verified(fields + message), ['pass', 'pass'], `${canonicalization.header}/${canonicalization.body} ${JSON.stringify(body.slice(0, 20))}`)
    }
  }
})

test('a key that is too long to sign with at once signs all the same', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
  const signed = await fieldsOf(MESSAGE, [order({ privateKey, selector: 'long' })]) + MESSAGE
  assert.deepEqual(await verified(signed, { 'long._domainkey.example.com': record(publicKey) }), ['pass'])
})

test('the field: its tags, its lines, what comes back to the caller', async () => {
  const outcome = await sign(MESSAGE, [order({ identity: '"a;=b c"@news.example.com', lifetimeSeconds: 3600 }), order({ privateKey: ed25519.privateKey })])
  assert.ok(outcome.status === 'signed')
  assert.deepEqual(outcome.signatures, [{ domain: 'example.com', selector: 'r', algorithm: 'rsa-sha256' }, { domain: 'example.com', selector: 'e', algorithm: 'ed25519-sha256' }])
  const fields = outcome.fields.toString('latin1')
  assert.equal(fields.match(/DKIM-Signature:/g)?.length, 2)
  for (const line of fields.split('\r\n')) assert.ok(line.length <= 78, line)
  assert.match(fields, /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=example\.com; s=r;\r\n\ti=\"a=3B=3Db=20c\"@news\.example\.com; t=1772366400; x=1772370000; h=from:from:\r\n\tto:subject:subject:date:x:x; bh=[\w+/]{43}=;\r\n\tb=[\w+/]{75}\r\n\t[\w+/]{77}\r\n/)
  assert.deepEqual(await verified(fields + MESSAGE), ['pass', 'pass'])
})

test('a field can be added, changed or doubled only where it is not signed', async () => {
  for (const canonicalization of SHAPES) {
    const signed = await fieldsOf(MESSAGE, [order({ canonicalization })]) + MESSAGE
    assert.deepEqual(await verified(`Cc: x\r\n${signed}`), ['pass'], 'Cc is signed where it is there, and not oversigned')
    for (const changed of [`Subject: other\r\n${signed}`, `From: eve@example.com\r\n${signed}`, signed.replace('X: 1\r\n', ''), signed.replace('X: 1\r\nX: 2', 'X: 2\r\nX: 1'), signed.replace('four', 'five')]) {
      assert.match((await verified(changed))[0] ?? '', /^fail/)
    }
  }
})

test('fields that are put on top are signed like the others', async () => {
  const above = ['Date: Mon, 2 Mar 2026 00:00:00 +0000\r\n', 'Message-ID: <1@example.com>\r\n', 'X: folded\r\n 0\r\n']
  for (const canonicalization of SHAPES) {
    const fields = await fieldsOf(MESSAGE, [order({ canonicalization })], above)
    assert.match(fields.replaceAll('\r\n\t', ''), /h=from:from:to:subject:subject:date:date:message-id:x:x:x;/)
    assert.deepEqual(await verified(fields + above.join('') + MESSAGE), ['pass'])
    assert.match((await verified(fields + above.join('').replace('Mon', 'Tue') + MESSAGE))[0] ?? '', /^fail/)
  }
  for (const wrong of ['', 'Date: x', 'Date: x\n', 'Date\r\n', 'A: b\r\nC: d\r\n', 'A: b\r\n\r\n', ' a\r\n', 'A: b\r\n\r\nc', 'A : b\r\n']) await assert.rejects(sign(MESSAGE, [order()], [wrong]), TypeError, JSON.stringify(wrong))
})

test('the same however the message is cut, and a piece may be written over afterwards', async () => {
  const orders = SHAPES.map((canonicalization) => order({ canonicalization, privateKey: ed25519.privateKey }))
  const message = 'From: a\r\n b\r\nSubject: c\r\n\r\n \t\r\nd \r e\t\r\n \r\n\r\n \r'
  const whole = await fieldsOf(message, orders)
  for (let first = 0; first <= message.length; first++) {
    for (let second = first; second <= message.length; second++) {
      const signer = new MessageSigner(() => orders)
      for (const text of [message.slice(0, first), message.slice(first, second), message.slice(second)]) {
        const piece = Buffer.from(text, 'latin1')
        signer.write(piece)
        piece.fill('!')
      }
      const outcome = await signer.finish({ above: [], now: NOW })
      assert.equal(outcome.status === 'signed' && outcome.fields.toString('latin1'), whole, `${first}, ${second}`)
    }
  }
  assert.equal(await fieldsOf(Array.from(message, (character) => Buffer.from(character, 'latin1')), orders), whole)
})

test('who signs is asked once, when the header section is whole, also where no empty line ends it', async () => {
  const seen: (readonly [HeaderSection['bodyStart'], number])[] = []
  let written = 0
  const signer = new MessageSigner((section) => { seen.push([section.bodyStart, written]); return [] })
  for (const character of 'From: a\r\n\r\nbody\r\n') {
    written++
    signer.write(Buffer.from(character))
  }
  assert.deepEqual([seen, await signer.finish({ above: [], now: NOW })], [[[11, 11]], { status: 'unsigned' }])
  for (const message of ['From: a\r\n', 'From: a']) {
    const fields = await fieldsOf(message, [order(), order({ canonicalization: { header: 'simple', body: 'simple' } })])
    assert.deepEqual(await verified(`${fields}From: a\r\n`), ['pass', 'pass'])
  }
})

test('From is signed whatever the order says', async () => {
  const fields = await fieldsOf(MESSAGE, [order({ signedFields: [], oversignedFields: [] })])
  assert.match(fields, /h=from;/)
  assert.deepEqual(await verified(fields + MESSAGE), ['pass'])
})

test('what readers take differently is not signed', async () => {
  const cases: Readonly<Record<string, RegExp>> = {
    'From: a\nSubject: b\r\n\r\n': /CR or LF in it that is no line end \(byte 7\)/,
    'From: a\r\r\n\r\n': /no line end/,
    'From: a\r\ngarbage\r\nSubject: b\r\n\r\n': /a line in it that is no field \(byte 9\)/,
    'From ada Sun Mar 1 12:00:00 2026\r\nFrom: a\r\n\r\n': /no field \(byte 0\)/,
    ' x\r\nFrom: a\r\n\r\n': /continues no field/,
    'From: a\r\nSubject\r\n : b\r\n\r\n': /a fold before a colon in it \(byte 9\)/,
    'Subject: b\r\n\r\n': /r\._domainkey\.example\.com: there is no From/,
    '': /there is no From/,
  }
  for (const [message, cause] of Object.entries(cases)) {
    const outcome = await sign(message, [order()])
    assert.ok(outcome.status === 'failed', message)
    assert.match(outcome.cause, cause)
  }
  const long = await sign(`From: a\r\n${'X-Long: y\r\n'.repeat(10_001)}\r\n`, [order()])
  assert.match(long.status === 'failed' ? long.cause : '', /more fields than are looked at/)
  const large = await sign(`From: a\r\nX: ${'y'.repeat(1 << 20)}\r\n\r\n`, [order()])
  assert.match(large.status === 'failed' ? large.cause : '', /more bytes than are looked at/)
  const many = await sign(`From: a\r\n${'X: y\r\n'.repeat(400)}\r\n`, [order()])
  assert.match(many.status === 'failed' ? many.cause : '', /header fields to sign, at most 400/)
})

test('a blank before the colon and a continuation of blanks are signed as they are', async () => {
  for (const canonicalization of SHAPES) {
    const message = 'From: a\r\nSubject \t: b\r\n \t\r\nX:\r\n y\r\n\r\nbody\r\n'
    assert.deepEqual(await verified(await fieldsOf(message, [order({ canonicalization })]) + message), ['pass'])
  }
})

test('a key that does not fit is a failure that says nothing of the key', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 768 }).privateKey
  const causes = [
    order({ privateKey: short }), order({ algorithm: 'ed25519-sha256' }), order({ privateKey: rsa.publicKey }), order({ privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    order({ domain: `${'d'.repeat(1100)}.example` }),
  ].map(async (one) => { const outcome = await sign(MESSAGE, [one]); return outcome.status === 'failed' ? outcome.cause.replace(/^[^:]*: /, '') : outcome.status })
  assert.deepEqual(await Promise.all(causes), [
    'an RSA key of 768 bits, of which a verifier takes at least 1024', 'a key of type rsa cannot sign ed25519-sha256', 'the key is not a private key',
    'a key of type ec cannot sign ed25519-sha256', 'a line of the signature would be longer than 998 characters',
  ])
})

test('the time is the one that is given', async () => {
  assert.match(await fieldsOf(MESSAGE, [order()]), new RegExp(`t=${SECONDS};`))
})
