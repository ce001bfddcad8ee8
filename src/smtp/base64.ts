/**
 * base64 as SASL has it on the wire (RFC 4648 §4, RFC 4954 §4): the alphabet,
 * whole groups, padding only at the end. Anything else is undefined, where
 * Node's own decoder would guess.
 */
const STRICT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function decodeBase64(text: string): Buffer | undefined {
  return STRICT.test(text) ? Buffer.from(text, 'base64') : undefined
}

export function encodeBase64(bytes: Buffer): string {
  return bytes.toString('base64')
}
