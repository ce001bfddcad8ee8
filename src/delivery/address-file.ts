/**
 * What the users and the aliases file have in common: how a name in them is
 * brought to the form in which envelope addresses are compared, and how a
 * problem in a file is told. No I/O.
 */
import { parseDomain } from '../smtp/address.ts'
import type { Domain } from '../smtp/envelope.ts'

export interface FileProblem {
  /** from 1; 0 for the file as a whole */
  readonly line: number
  readonly what: string
}

/**
 * Local parts are compared in lower case, after Unicode normalisation
 * (RFC 6532 §3.1). RFC 5321 §2.4 lets a host decide this; mailboxes that
 * differ in case alone help nobody.
 */
export function foldLocalPart(local: string): string {
  // Lower case may come out decomposed (İ), so the form is made last.
  return local.toLowerCase().normalize('NFC')
}

/** A domain as it stands in a file (UTF-8 decoded), in canonical form; null where it is none. */
export function parseFileDomain(text: string): Domain | null {
  return parseDomain(Buffer.from(text, 'utf8').toString('latin1'))
}

export function describeProblem(file: string, problem: FileProblem): string {
  return problem.line === 0 ? `${file}: ${problem.what}` : `${file}:${problem.line}: ${problem.what}`
}
