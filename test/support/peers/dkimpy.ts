/**
 * dkimpy (Debian's python3-dkim) as a signer (RFC 6376) and sealer (RFC 8617)
 * that is not of our making, and keys for it. An Error with its output where it
 * signs nothing.
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryDirectory } from '../process.ts'

export interface RsaKey {
  /** PEM, PKCS #1: the form that all signers read */
  readonly file: string
  /** its TXT record */
  readonly record: string
}

export function makeRsaKey(bits = 2048): RsaKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const file = join(temporaryDirectory('key'), 'key.pem')
  writeFileSync(file, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  return { file, record: `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}` }
}

export interface Signing {
  readonly domain: string
  readonly selector: string
  readonly key: RsaKey
  /** relaxed/simple */
  readonly canonicalization?: `${'simple' | 'relaxed'}/${'simple' | 'relaxed'}`
}

/** The message under a DKIM-Signature. */
export async function dkimSigned(message: string, { domain, selector, key, canonicalization = 'relaxed/simple' }: Signing): Promise<string> {
  const [header = '', body = ''] = canonicalization.split('/')
  return whole('DKIM-Signature:', message, ['dkimsign', '--hcanon', header, '--bcanon', body, selector, domain, key.file])
}

/** The message under the three fields of an ARC set; what it seals is the Authentication-Results of `domain` in it. */
export function arcSealed(message: string, { domain, selector, key }: Signing): Promise<string> {
  return whole('ARC-Seal:', message, ['arcsign', selector, domain, key.file, domain])
}

async function whole(field: string, message: string, command: readonly string[]): Promise<string> {
  const { code, output } = await run(command, { input: Buffer.from(message, 'latin1') })
  // Signed or not, it prints the message; what it logs stands on the same stream here, above it.
  const at = output.indexOf(field)
  if (code !== 0 || at < 0 || !output.endsWith(message)) throw new Error(`${command.join(' ')} signed nothing:\n${output}`)
  return output.slice(at)
}
