/**
 * The envelope's parts as parsed from MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3).
 *
 * Strings that go on to the next hop are "binary" strings (one character a
 * byte), kept as they came; what is compared is kept decoded beside them.
 */

declare const domainBrand: unique symbol
/** A domain in lower case and A-label form, or an address literal `[…]` in lower case. Made by `parseDomain`. */
export type Domain = string & { readonly [domainBrand]: true }

export interface Mailbox {
  /** decoded: without quoting, UTF-8 resolved */
  readonly localPart: string
  readonly domain: Domain
}

/** A path between `<` and `>`; a source route, if there was one, is left out (RFC 5321 §3.6.1). */
export interface Path {
  /** as it came, with `<` and `>`, binary */
  readonly wire: string
  /** null for the null reverse-path `<>`; and for `<postmaster>` without a domain `domain` is '' */
  readonly mailbox: Mailbox | null
}

/** An esmtp-param of MAIL or RCPT: `KEYWORD[=value]`. */
export interface Parameter {
  /** in upper case */
  readonly keyword: string
  /** as it came, binary; null where there was no `=` */
  readonly value: string | null
}

export interface EnvelopePath {
  readonly path: Path
  readonly parameters: readonly Parameter[]
}

export function parameter(of: EnvelopePath, keyword: string): Parameter | undefined {
  return of.parameters.find((p) => p.keyword === keyword)
}
