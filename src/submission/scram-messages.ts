/**
 * The messages of SCRAM (RFC 5802 §5 and §7) that a client sends. No I/O; what
 * is not of their form is null.
 */

export interface ClientFirst {
  /** `n`: no channel binding; `y`: could, and thinks that we cannot; otherwise the type that is used */
  readonly flag: 'n' | 'y' | { readonly type: string }
  readonly authzid: string
  /** with the flag and authzid, as it came: the beginning of what is bound */
  readonly gs2Header: string
  readonly name: string
  readonly nonce: string
  readonly bare: string
}

export interface ClientFinal {
  /** gs2-header and channel binding data */
  readonly binding: Buffer
  readonly nonce: string
  readonly proof: Buffer
  /** what the proof covers of it */
  readonly withoutProof: string
}

const MAX_NONCE = 512
const MAX_NAME = 1024

export function parseClientFirst(text: string): ClientFirst | null {
  const match = /^((?:(n|y)|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,\0]+))?,)(n=([^,\0]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*)$/s.exec(text)
  if (match === null) return null
  const [, gs2Header = '', plain, type = '', authzid64 = '', bare = '', name64 = '', nonce = ''] = match
  const [name, authzid] = [decodeName(name64), decodeName(authzid64)]
  if (name === null || authzid === null || name.length > MAX_NAME || nonce.length > MAX_NONCE) return null
  // §5.1: an extension that has to be understood would stand before the name, as m=, and none is.
  return { flag: plain === 'n' || plain === 'y' ? plain : { type }, authzid, gs2Header, name, nonce, bare }
}

export function parseClientFinal(text: string): ClientFinal | null {
  const match = /^(c=([A-Za-z0-9+/]+={0,2}),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*),p=([A-Za-z0-9+/]{43}=)$/s.exec(text)
  if (match === null) return null
  const [, withoutProof = '', binding = '', nonce = '', proof = ''] = match
  return { binding: Buffer.from(binding, 'base64'), nonce, proof: Buffer.from(proof, 'base64'), withoutProof }
}

/** `=2C` and `=3D` (§5.1); any other `=` is none. */
function decodeName(text: string): string | null {
  if (/=(?!2C|3D)/.test(text)) return null
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
