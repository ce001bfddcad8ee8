/**
 * Keys to sign with, on disk and as records, and what other people's verifiers
 * (dkimpy, OpenDKIM's library, Mail::DKIM) make of the signatures on a message.
 *
 *     const check = await SignatureCheck.start(records)
 *     await check.passes(message, ['s2026'])       // these selectors, and no others, in all that know the algorithm
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { makePeerKeys, startDkimPeer, type DkimPeer } from './peers/dkim-peer.ts'

export interface WrittenKey {
  readonly file: string
  /** text of its TXT record */
  readonly record: string
}

/** Writes a private key that only its owner can read. */
export function writeKey(file: string, algorithm: 'rsa' | 'ed25519' = 'rsa'): WrittenKey {
  const { privateKey, publicKey } = algorithm === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  chmodSync(file, 0o600)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return { file, record: `v=DKIM1; k=${algorithm}; p=${(algorithm === 'rsa' ? der : der.subarray(-32)).toString('base64')}` }
}

export class SignatureCheck {
  readonly #peers: readonly DkimPeer[]

  private constructor(peers: readonly DkimPeer[]) {
    this.#peers = peers
  }

  /** @param records by name, as `selector._domainkey.domain` */
  static async start(records: Readonly<Record<string, string>>): Promise<SignatureCheck> {
    // Nobody signs here; the keys are what the peers want to be told.
    const keys = { private: makePeerKeys([]).private, records }
    return new SignatureCheck(await Promise.all((['dkimpy', 'opendkim', 'mail-dkim'] as const).map((name) => startDkimPeer(name, keys))))
  }

  /** Each of these selectors has signed and passes everywhere; nobody sees a further signature. */
  async passes(message: Buffer, selectors: readonly string[]): Promise<void> {
    const written = signatureFields(message).map((field) => tag(field, 's'))
    assert.deepEqual(written.toSorted(), selectors.toSorted(), 'the selectors that signed')
    for (const peer of this.#peers) {
      const known = signatureFields(message).filter((field) => (peer.algorithms as readonly string[]).includes(tag(field, 'a'))).map((field) => tag(field, 's'))
      const verdict = await peer.verify(message)
      if (verdict.status === 'refused') throw new Error(`${peer.name}: ${verdict.cause}`)
      const results = verdict.results.filter(({ selector }) => known.includes(selector))
      assert.deepEqual(results.map(({ selector, status, detail }) => ({ selector, status, detail })).toSorted(bySelector), known.map((selector) => ({ selector, status: 'pass', detail: '' })).toSorted(bySelector), `${peer.name} ${peer.version}`)
    }
  }

  /** Nobody says that a signature holds. */
  async fails(message: Buffer): Promise<void> {
    for (const peer of this.#peers) {
      const verdict = await peer.verify(message)
      const passed = verdict.status === 'verified' ? verdict.results.filter(({ status }) => status === 'pass') : []
      assert.deepEqual(passed, [], peer.name)
    }
  }

  async stop(): Promise<void> {
    for (const peer of this.#peers) await peer.stop()
  }
}

function bySelector(a: { readonly selector: string }, b: { readonly selector: string }): number {
  return a.selector < b.selector ? -1 : 1
}

/** The DKIM-Signature fields of a message, whole, topmost first. */
export function signatureFields(message: Buffer): string[] {
  const text = message.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  return text.slice(0, end < 0 ? undefined : end + 2).match(/^DKIM-Signature:[^\n]*\n(?:[ \t][^\n]*\n)*/gim) ?? []
}

/** The value of a tag, without blanks. */
export function tag(field: string, name: string): string {
  const list = field.slice(field.indexOf(':') + 1).replace(/\s+/g, '')
  return list.split(';').find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}
