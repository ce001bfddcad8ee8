/**
 * What a signature costs: CPU time of signing and verifying by our own engine,
 * beside what cannot be less (SHA-256 of the message, the private-key operation
 * alone) and beside mailauth, in one process and one run. Then bodies that are
 * made to be slow, whole and byte by byte: time has to grow with their length
 * and with nothing else.
 *
 *     node bench/dkim.ts
 *
 * Times are CPU of the whole process, threads included; each figure is the
 * lowest of several rounds. Quote ratios of one run, not figures of two.
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createRequire } from 'node:module'
import { MessageSigner } from '../src/auth/dkim/message-signer.ts'
import type { Canonicalization, SigningOrder } from '../src/auth/dkim/signing-order.ts'
import { verifyMessage } from '../src/auth/message-authentication.ts'
import type { Lookup, RecordType, Resolver } from '../src/dns/resolver.ts'
import { benchOptions } from './options.ts'

benchOptions({})

interface Library {
  readonly dkimSign: (input: Buffer, options: object) => Promise<{ readonly signatures: string }>
  readonly dkimVerify: (input: Buffer, options: object) => Promise<{ readonly results: readonly { readonly status: { readonly result: string } }[] }>
}

const load = createRequire(import.meta.url)
const { dkimSign } = load('mailauth/lib/dkim/sign.js') as Pick<Library, 'dkimSign'>
const { dkimVerify } = load('mailauth/lib/dkim/verify.js') as Pick<Library, 'dkimVerify'>

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const RECORDS: Readonly<Record<string, string>> = {
  'r._domainkey.example.com': `v=DKIM1; k=rsa; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
  'e._domainkey.example.com': `v=DKIM1; k=ed25519; p=${ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`,
}
const resolver: Resolver = {
  lookup: <T extends RecordType>(name: string) => Promise.resolve({ status: 'records', records: [[RECORDS[name] ?? '']], name, ttlSeconds: 60, authenticated: false } as unknown as Lookup<T>),
}

const HEADER = Buffer.from([
  'Received: from client.example.com (client.example.com [192.0.2.7])', '\tby mail.example.com with ESMTPSA id 4f21a2;', '\tMon, 2 Mar 2026 10:00:00 +0000',
  'Date: Mon, 2 Mar 2026 09:59:58 +0000', 'From: Ada Lovelace <ada@example.com>', 'To: Charles Babbage <charles@example.net>,', '\tMary Somerville <mary@example.net>',
  'Subject: Notes on the engine, and a table', 'Message-ID: <20260302095958.1@client.example.com>', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', 'User-Agent: Example 1.0', '', '',
].join('\r\n'))
const TEXT = 'The engine might act upon other things besides number, were objects found whose\r\nmutual relations could be expressed by those of the abstract science.\r\n\r\n'
const SPACED = 'The  engine  might act  upon other  things\tbesides  number,  were  objects \r\n  found  whose mutual  relations \t could be  expressed  \r\n'
const BASE64 = `${'QWJj'.repeat(19)}\r\n`
const PIECE_BYTES = 64 * 1024
const TEN_MB = 10_000_000

function messageOf(text: string, bytes: number): Buffer {
  return Buffer.concat([HEADER, Buffer.from(text.repeat(Math.ceil(bytes / text.length)).slice(0, Math.max(0, bytes - HEADER.length)))])
}

function piecesOf(message: Buffer, bytes = PIECE_BYTES): Buffer[] {
  return Array.from({ length: Math.ceil(message.length / bytes) }, (_, i) => message.subarray(i * bytes, (i + 1) * bytes))
}

function orderOf(privateKey: KeyObject, body: Canonicalization): SigningOrder {
  const algorithm = privateKey.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256'
  return {
    key: { domain: 'example.com', selector: algorithm === 'rsa-sha256' ? 'r' : 'e', algorithm, privateKey }, canonicalization: { header: 'relaxed', body }, identity: undefined,
    signedFields: ['from', 'to', 'cc', 'subject', 'date', 'message-id', 'reply-to', 'in-reply-to', 'references', 'mime-version', 'content-type', 'content-transfer-encoding'],
    oversignedFields: ['from', 'to', 'cc', 'subject', 'date'], lifetimeSeconds: undefined,
  }
}

async function signed(pieces: readonly Buffer[], order: SigningOrder): Promise<Buffer> {
  const signer = new MessageSigner(() => [order])
  for (const piece of pieces) signer.write(piece)
  const outcome = await signer.finish({ above: [], now: new Date() })
  if (outcome.status !== 'signed') throw new Error(`not signed: ${JSON.stringify(outcome)}`)
  return outcome.fields
}

async function verified(pieces: readonly Buffer[]): Promise<void> {
  const { dkim } = await verifyMessage({ memory: pieces, chunks: () => { throw new Error('the message is in memory') } }, resolver, new Date())
  if (dkim.status !== 'pass') throw new Error(`not verified: ${JSON.stringify(dkim)}`)
}

/** Milliseconds of CPU each, the lowest of the rounds. */
async function cpu(work: () => unknown, count: number, rounds = 5): Promise<number> {
  await work()
  let lowest = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++) await work()
    const { user, system } = process.cpuUsage(before)
    lowest = Math.min(lowest, (user + system) / 1000 / count)
  }
  return lowest
}

function row(what: string, figures: readonly number[]): void {
  console.log(what.padEnd(44) + figures.map((ms) => ms.toFixed(ms < 10 ? 3 : 1).padStart(10)).join(''))
}

const SIZES = [{ bytes: 4096, count: 400 }, { bytes: 51_200, count: 100 }, { bytes: TEN_MB, count: 1 }]

async function table(): Promise<void> {
  console.log(`${'CPU ms a message'.padEnd(44)}${['4 KB', '50 KB', '10 MB'].map((size) => size.padStart(10)).join('')}`)
  const each = async (what: string, made: (message: Buffer) => (() => unknown) | Promise<() => unknown>): Promise<void> => {
    const figures: number[] = []
    for (const { bytes, count } of SIZES) figures.push(await cpu(await made(messageOf(TEXT, bytes)), count))
    row(what, figures)
  }
  await each('SHA-256 of the message', (message) => () => createHash('sha256').update(message).digest())
  await each('RSA-2048 signature alone', () => () => sign('sha256', HEADER, rsa.privateKey))
  await each('Ed25519 signature alone', () => () => sign(null, HEADER.subarray(0, 32), ed25519.privateKey))
  for (const [name, key] of [['RSA-2048', rsa.privateKey], ['Ed25519', ed25519.privateKey]] as const) {
    for (const body of ['simple', 'relaxed'] as const) {
      const order = orderOf(key, body)
      await each(`sign, ${name}, relaxed/${body}`, (message) => { const pieces = piecesOf(message); return () => signed(pieces, order) })
      await each(`verify, ${name}, relaxed/${body}`, async (message) => { const pieces = piecesOf(Buffer.concat([await signed([message], order), message])); return () => verified(pieces) })
    }
  }
  const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  for (const body of ['simple', 'relaxed'] as const) {
    await each(`mailauth: sign, RSA-2048, relaxed/${body}`, (message) => () => dkimSign(message, { canonicalization: `relaxed/${body}`, signatureData: [{ signingDomain: 'example.com', selector: 'r', privateKey: pem }] }))
    await each(`mailauth: verify, RSA-2048, relaxed/${body}`, async (message) => {
      const whole = Buffer.concat([await signed([message], orderOf(rsa.privateKey, body)), message])
      return async () => {
        const { results } = await dkimVerify(whole, { strict: true, resolver: (name: string) => Promise.resolve([[RECORDS[name]]]) })
        if (results[0]?.status.result !== 'pass') throw new Error(`mailauth: ${JSON.stringify(results[0]?.status)}`)
      }
    })
  }
}

async function hard(): Promise<void> {
  console.log(`\n${'10 MB, CPU ms, relaxed/relaxed, Ed25519'.padEnd(44)}${['sign', 'verify', 'simple', 'by bytes'].map((what) => what.padStart(10)).join('')}`)
  const [relaxed, simple] = [orderOf(ed25519.privateKey, 'relaxed'), orderOf(ed25519.privateKey, 'simple')]
  for (const [what, text] of Object.entries({ 'text': TEXT, 'text with runs of blanks': SPACED, 'base64': BASE64, 'one line': 'x', 'spaces': ' ', 'tabs and spaces': ' \t', 'line ends': '\r\n', 'lines of one byte': 'x\r\n', 'blanks at line ends': ' \r\n', 'CRs': '\r', 'a blank before each CR': ' \r' })) {
    const message = messageOf(text, TEN_MB)
    const pieces = piecesOf(message)
    const signedPieces = piecesOf(Buffer.concat([await signed(pieces, relaxed), message]))
    const bytes = piecesOf(message, 1)
    row(what, [await cpu(() => signed(pieces, relaxed), 1), await cpu(() => verified(signedPieces), 1), await cpu(() => signed(pieces, simple), 1), await cpu(() => signed(bytes, relaxed), 1, 1)])
  }
}

console.log(`Node.js ${process.version}`)
await table()
await hard()
