/** Messages for the tests of authentication: signed and sealed with keys made here, and a resolver that fails where it is told to. */
import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import type { ReadableMessage } from '../../../src/auth/message-signatures.ts'
import type { Resolver } from '../../../src/dns/resolver.ts'

export interface SigningKey {
  readonly pem: string
  /** the TXT record of its public half */
  readonly record: string
}

/** mailauth signs: what is tested is our use of its verifier, and its signer is checked by the suites of others. */
interface Library {
  readonly dkimSign: (input: Buffer, options: object) => Promise<{ signatures: string; errors: readonly { err: Error }[] }>
  readonly sealMessage: (input: Buffer, seal: object) => Promise<Buffer>
}

const load = createRequire(import.meta.url)
const { dkimSign } = load('mailauth/lib/dkim/sign.js') as Pick<Library, 'dkimSign'>
const { sealMessage } = load('mailauth/lib/arc/index.js') as Pick<Library, 'sealMessage'>

export function rsaKey(bits = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), record: `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}` }
}

export function ed25519Key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), record: `v=DKIM1; k=ed25519; p=${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}` }
}

export const MESSAGE = Buffer.from('From: Ada <ada@example.com>\r\nTo: bob@example.net\r\nSubject: tea\r\nMessage-ID: <1@example.com>\r\n\r\nAt four.\r\n')

export interface SignatureWanted {
  readonly key: SigningKey
  readonly domain?: string
  readonly selector?: string
  readonly algorithm?: string
  /** l= */
  readonly maxBodyLength?: number
  readonly identity?: string
  readonly expires?: Date
}

export const SIGNED_AT = new Date('2026-01-01T00:00:00Z')
export const NOW = new Date('2026-01-01T01:00:00Z')

export async function signed(wanted: SignatureWanted, message: Buffer = MESSAGE): Promise<Buffer> {
  const { key, domain = 'example.com', selector = 's', expires, maxBodyLength, identity, algorithm } = wanted
  const { signatures, errors } = await dkimSign(message, {
    signTime: SIGNED_AT,
    ...(expires === undefined ? {} : { expires }),
    ...(algorithm === undefined ? {} : { algorithm }),
    signatureData: [{ signingDomain: domain, selector, privateKey: key.pem, ...(maxBodyLength === undefined ? {} : { maxBodyLength }), ...(identity === undefined ? {} : { identity }) }],
  })
  if (errors[0] !== undefined) throw errors[0].err
  return Buffer.concat([Buffer.from(signatures), message])
}

export async function sealed(message: Buffer, seal: { readonly key: SigningKey; readonly domain: string; readonly selector?: string; readonly cv?: 'none' | 'pass' | 'fail'; readonly results?: string }): Promise<Buffer> {
  const { key, domain, selector = 'arc', cv = 'none', results = `${domain}; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com; dmarc=pass header.from=example.com` } = seal
  const fields = await sealMessage(message, { signingDomain: domain, selector, privateKey: key.pem, cv, authResults: results, signTime: SIGNED_AT })
  return Buffer.concat([fields, message])
}

/** The message in pieces of a size. */
export function inPieces(message: Buffer, bytes = 64 * 1024): ReadableMessage {
  return {
    async *chunks() {
      for (let at = 0; at < message.length; at += bytes) yield await Promise.resolve(message.subarray(at, at + bytes))
    },
  }
}

/** A resolver whose look-up number `at` (from 0) fails, and the questions it was asked. */
export function failingAt(resolver: Resolver, at: number, status: 'timeout' | 'servfail'): Resolver & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    lookup(name, type) {
      asked.push(`${name} ${type}`)
      return asked.length - 1 === at ? Promise.resolve({ status, cause: `number ${at} fails in this test` }) : resolver.lookup(name, type)
    },
  }
}

/** Runs a check once for each of its look-ups with that one failing, in both ways. */
export async function withEachFailure<T>(resolver: Resolver, check: (resolver: Resolver) => Promise<T>, proves: (outcome: T, failed: string) => void): Promise<number> {
  const whole = failingAt(resolver, -1, 'timeout')
  await check(whole)
  for (const [at, question] of whole.asked.entries()) {
    for (const status of ['timeout', 'servfail'] as const) proves(await check(failingAt(resolver, at, status)), `${question}, ${status}`)
  }
  return whole.asked.length
}
