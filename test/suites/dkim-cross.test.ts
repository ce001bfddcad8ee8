/**
 * Every message of the suites, signed here and verified by mailauth, signed by
 * mailauth and verified here. Where the two differ, a rule says which of them
 * reads the RFC and why; the rest has to agree to the last message.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, describe, test } from 'node:test'
import { createPrivateKey } from 'node:crypto'
import { MessageSigner } from '../../src/auth/dkim/message-signer.ts'
import type { SigningOutcome } from '../../src/auth/dkim/message-signer.ts'
import type { SigningOrder } from '../../src/auth/dkim/signing-order.ts'
import { verifyDkim } from '../../src/auth/dkim.ts'
import { mailSamples, mimeSamples, suitesMissing } from '../support/mail-samples.ts'
import type { Sample } from '../support/mail-samples.ts'
import { zoneMap } from '../support/zone-map.ts'
import { ed25519Key, rsaKey } from '../unit/auth/signed-mail.ts'

interface Library {
  readonly dkimSign: (input: Buffer, options: object) => Promise<{ signatures: string; errors: readonly { err: Error }[] }>
  readonly dkimVerify: (message: Buffer, options: object) => Promise<{ results: readonly { status: { result: string; comment?: string } }[] }>
}
const load = createRequire(import.meta.url)
const { dkimSign } = load('mailauth/lib/dkim/sign.js') as Pick<Library, 'dkimSign'>
const { dkimVerify } = load('mailauth/lib/dkim/verify.js') as Pick<Library, 'dkimVerify'>

const rsa = rsaKey(1024)
const ed25519 = ed25519Key()
const RECORDS: Readonly<Record<string, string>> = { 'r._domainkey.cross.example': rsa.record, 'e._domainkey.cross.example': ed25519.record }
const zone = () => zoneMap(Object.fromEntries(Object.entries(RECORDS).map(([name, text]) => [name, { TXT: [text] }])))
const NOW = new Date('2026-03-01T00:00:00Z')
const SHAPES = (['simple', 'relaxed'] as const).flatMap((header) => (['simple', 'relaxed'] as const).map((body) => ({ header, body })))
const FIELDS = ['from', 'to', 'cc', 'subject', 'date', 'message-id', 'mime-version', 'content-type', 'content-transfer-encoding', 'reply-to', 'references', 'received', 'x-spam-status']
const KEYS = [{ selector: 'r', algorithm: 'rsa-sha256', privateKey: createPrivateKey(rsa.pem) }, { selector: 'e', algorithm: 'ed25519-sha256', privateKey: createPrivateKey(ed25519.pem) }] as const
/** The four forms, with both kinds of keys in turn. */
const ORDERS: readonly SigningOrder[] = SHAPES.map((canonicalization, i) => ({
  key: { domain: 'cross.example', ...(KEYS[i % 2] ?? KEYS[0]) }, canonicalization, identity: undefined, signedFields: FIELDS, oversignedFields: ['from', 'subject'], lifetimeSeconds: undefined,
}))

async function sign(message: Buffer, pieceBytes: number): Promise<SigningOutcome> {
  const signer = new MessageSigner(() => ORDERS)
  for (let at = 0; at < message.length; at += pieceBytes) signer.write(message.subarray(at, at + pieceBytes))
  return signer.finish({ above: [], now: NOW })
}

async function byMailauth(message: Buffer): Promise<string[]> {
  const { results } = await dkimVerify(message, { strict: true, curTime: NOW, resolver: (name: string) => Promise.resolve([[RECORDS[name] ?? '']]) })
  return results.map(({ status: { result, comment } }) => (comment === undefined ? result : `${result}: ${comment}`))
}

async function byUs(message: Buffer): Promise<string[]> {
  const { signatures, cause } = await verifyDkim({ memory: [message], chunks: () => { throw new Error('the message is in memory') } }, zone(), NOW)
  return cause === '' ? signatures.map((one) => (one.cause === '' ? one.status : `${one.status}: ${one.cause}`)) : [cause]
}

/** Without the signatures that it came with: a verifier looks at a bounded number, and their keys are not here. */
function bare(message: Buffer): Buffer {
  const text = message.toString('latin1')
  const end = text.indexOf('\r\n\r\n') + 2
  return end < 2 ? message : Buffer.from(text.slice(0, end).replace(/^(?:DKIM-Signature|ARC-[\w-]+):.*\r\n(?:[ \t].*\r\n)*/gim, '') + text.slice(end), 'latin1')
}

const bodyOf = (message: Buffer): string => { const text = message.toString('latin1'); const end = text.indexOf('\r\n\r\n'); return end < 0 ? '' : text.slice(end + 4) }
/** mailauth takes a bare LF for a line end in relaxed bodies; RFC 6376 §3.4.4 knows CRLF alone. */
const hasBareLf = (message: Buffer): boolean => /(?<!\r)\n/.test(bodyOf(message))

const tally: { signed: number; refused: Record<string, number>; theirs: number } = { signed: 0, refused: {}, theirs: 0 }
const samples: readonly Sample[] = [...mailSamples(), ...mimeSamples()]

describe('DKIM across, on all messages of the suites', { skip: suitesMissing('mail') }, () => {
  for (const [i, { name, sent }] of samples.entries()) {
    test(name, async () => {
      const message = bare(sent)
      const made = await sign(message, [1, 100, 4096, 65_536][i % 4] ?? 1)
      if (made.status !== 'signed') {
        assert.ok(made.status === 'failed')
        const why = made.cause.replace(/^\S+: (?=there)| \(byte \d+\)/g, '')
        assert.match(why, /no From|no field|no line end|continues no field/)
        tally.refused[why] = (tally.refused[why] ?? 0) + 1
        return
      }
      tally.signed += 1
      const signed = Buffer.concat([made.fields, message])
      assert.deepEqual(await byUs(signed), ['pass', 'pass', 'pass', 'pass'])
      assert.deepEqual(await byMailauth(signed), ORDERS.map(({ canonicalization: { body } }) => (body === 'relaxed' && hasBareLf(message) ? 'fail: body hash did not verify' : 'pass')))
      for (const [j, { header, body }] of SHAPES.entries()) {
        if (body === 'relaxed' && hasBareLf(message)) continue
        const { signatures, errors } = await dkimSign(message, { canonicalization: `${header}/${body}`, signTime: NOW, signatureData: [{ signingDomain: 'cross.example', selector: j % 2 === 0 ? 'e' : 'r', privateKey: j % 2 === 0 ? ed25519.pem : rsa.pem }] })
        assert.deepEqual(errors, [])
        assert.deepEqual(await byUs(Buffer.concat([Buffer.from(signatures), message])), ['pass'], `${header}/${body}`)
      }
      tally.theirs += 1
    })
  }
  after(() => console.log(`# dkim across: ${samples.length} messages; signed here and verified by both ${tally.signed}, signed by mailauth and verified here ${tally.theirs}; not signed: ${JSON.stringify(tally.refused)}`))
})
