/** What SCRAM-SHA-256 keeps and computes of a password (RFC 5802 §3, RFC 7677). */
import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import type { ScramSecret } from './password-hash.ts'
import { saslPrep } from './prepare.ts'

const derive = promisify(pbkdf2)

/** @param password as it was typed; the work is done in the thread pool */
export async function scramSecret(password: string, { salt, iterations }: { readonly salt: Buffer; readonly iterations: number }): Promise<ScramSecret> {
  const salted = await derive(saslPrep(password), salt, iterations, 32, 'sha256')
  return { scheme: 'scram-sha-256', iterations, salt, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') }
}

/** StoredKey of who sent this proof. */
export function storedKeyOf(proof: Buffer, secret: ScramSecret, authMessage: string): Buffer {
  const signature = hmac(secret.storedKey, authMessage)
  return sha256(Buffer.from(proof.map((byte, i) => byte ^ (signature[i] ?? 0))))
}

export function serverSignature(secret: ScramSecret, authMessage: string): Buffer {
  return hmac(secret.serverKey, authMessage)
}

export function hmac(key: Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message, 'utf8').digest()
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}
