/**
 * The text of a DKIM-Signature field (RFC 6376 §3.5), folded to lines of at
 * most 78 characters where its values can be broken. `b=` stands last, on a
 * line of its own, so that the text before it is what is signed, in `simple`
 * too. Pure.
 */
import type { Canonicalization, SigningAlgorithm } from './signing-order.ts'

export interface SignatureTags {
  readonly algorithm: SigningAlgorithm
  readonly canonicalization: { readonly header: Canonicalization; readonly body: Canonicalization }
  readonly domain: string
  readonly selector: string
  readonly identity: string | undefined
  /** seconds since 1970 */
  readonly signedAt: number
  readonly expiresAt: number | undefined
  /** h=, repetitions included */
  readonly fieldNames: readonly string[]
  /** bh=, base64 */
  readonly bodyHash: string
}

const MAX_LINE = 78
const FOLD = '\r\n\t'

/** The field up to and with `b=`, without a line end. */
export function signatureStart(tags: SignatureTags): string {
  const { algorithm, canonicalization, domain, selector, identity, signedAt, expiresAt, fieldNames, bodyHash } = tags
  const lines = new FoldedLines('DKIM-Signature:')
  lines.word('v=1;', ' ')
  lines.word(`a=${algorithm};`, ' ')
  lines.word(`c=${canonicalization.header}/${canonicalization.body};`, ' ')
  lines.word(`d=${domain};`, ' ')
  lines.word(`s=${selector};`, ' ')
  if (identity !== undefined) lines.word(`i=${encodedIdentity(identity)};`, ' ')
  lines.word(`t=${signedAt};`, ' ')
  if (expiresAt !== undefined) lines.word(`x=${expiresAt};`, ' ')
  const last = fieldNames.length - 1
  for (const [i, name] of fieldNames.entries()) lines.word(`${i === 0 ? 'h=' : ''}${name}${i === last ? ';' : ':'}`, i === 0 ? ' ' : '')
  lines.word(`bh=${bodyHash};`, ' ')
  return `${lines.text}${FOLD}b=`
}

/** The whole field: what `signatureStart` gave, the signature, the line end. */
export function signatureField(start: string, signature: Buffer): string {
  const value = signature.toString('base64')
  const first = MAX_LINE - '\tb='.length
  let field = start + value.slice(0, first)
  for (let at = first; at < value.length; at += MAX_LINE - 1) field += FOLD + value.slice(at, at + MAX_LINE - 1)
  return `${field}\r\n`
}

class FoldedLines {
  text: string
  #column: number

  constructor(start: string) {
    this.text = start
    this.#column = start.length
  }

  /** @param glue what stands before it where it does not begin a line */
  word(word: string, glue: '' | ' '): void {
    const fits = this.#column + glue.length + word.length <= MAX_LINE
    this.text += (fits ? glue : FOLD) + word
    this.#column = fits ? this.#column + glue.length + word.length : 1 + word.length
  }
}

/** dkim-quoted-printable (RFC 6376 §2.11) */
function encodedIdentity(identity: string): string {
  return identity.replace(/[^\x21-\x3a\x3c\x3e-\x7e]/g, (character) => `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
