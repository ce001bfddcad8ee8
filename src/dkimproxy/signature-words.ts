/**
 * The words that say how to sign: `dkim(c=relaxed/relaxed,a=rsa-sha256)` in a
 * `signature` line, lists of them in the maps, and the names of methods. Pure;
 * what cannot be understood is a sentence.
 */
import type { Canonicalization } from '../auth/dkim/signing-order.ts'

export interface SignatureWords {
  readonly type: 'dkim' | 'domainkeys'
  /** long names, as given: keyfile, selector, domain, method, algorithm, identity, headers, and what nobody knows */
  readonly parameters: ReadonlyMap<string, string>
}

const SHORT: ReadonlyMap<string, string> = new Map([['key', 'keyfile'], ['s', 'selector'], ['d', 'domain'], ['c', 'method'], ['a', 'algorithm'], ['i', 'identity'], ['h', 'headers']])
export const PARAMETERS: ReadonlySet<string> = new Set(SHORT.values())

export function readSignature(text: string): SignatureWords | string {
  const match = /^(\w+)(?:\((.*)\))?$/s.exec(text.trim())
  if (match === null) return `${JSON.stringify(text)} is no signature; allowed: dkim, or dkim(name=value,…)`
  const type = (match[1] ?? '').toLowerCase()
  if (type !== 'dkim' && type !== 'domainkeys') return `${JSON.stringify(match[1])} is no kind of signature; allowed: dkim (and domainkeys, which does nothing)`
  const parameters = new Map<string, string>()
  for (const part of (match[2] ?? '').split(/,\s*/)) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).trim()
    if (name === '') continue
    if (equals < 0) return `${JSON.stringify(part)} is no name=value`
    parameters.set(SHORT.get(name) ?? name, part.slice(equals + 1).trim())
  }
  return { type, parameters }
}

/** Split at commas that stand outside parentheses. */
export function splitSignatures(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const c of text) {
    if (c === ',' && depth <= 0) {
      parts.push(part)
      part = ''
      continue
    }
    if (c === '(') depth++
    if (c === ')') depth--
    part += c
  }
  return [...parts, part].map((one) => one.trim()).filter((one) => one !== '')
}

export interface Method {
  readonly header: Canonicalization
  readonly body: Canonicalization
}

/** Undefined where it is none. RFC 6376 §3.5: without a second part the body is `simple`. */
export function readMethod(text: string): Method | undefined {
  const word = text.trim().toLowerCase()
  // Of a draft: all white space went. Relaxed is what came of it.
  if (word === 'nowsp') return { header: 'relaxed', body: 'relaxed' }
  const match = /^(simple|relaxed)(?:\/(simple|relaxed))?$/.exec(word)
  if (match === null) return undefined
  return { header: match[1] as Canonicalization, body: (match[2] ?? 'simple') as Canonicalization }
}

/* --- macros --- */

export interface MacroValues {
  /** the address of Sender or From, in lower case; '' where there is none */
  readonly sender: string
  /** of the map, as it was found; '' outside of maps */
  readonly key: string
}

/** The first macro of the text is replaced, and no other, as in DKIMproxy; undefined where it is none that there is, or has no value. */
export function expandMacro(text: string, { sender, key }: MacroValues): string | undefined {
  const match = /\$(\w+|\$)/.exec(text)
  if (match === null) return text.includes('$') ? undefined : text
  const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)
  const values: Readonly<Record<string, string>> = { sender, senderdomain: domainOf(sender), key, keydomain: domainOf(key), $: '$' }
  const value = values[match[1] ?? '']
  if (value === undefined || value === '' || (match[1] !== '$' && value === '.')) return undefined
  return text.slice(0, match.index) + value + text.slice(match.index + match[0].length)
}

/** Whether the text has a macro: then what comes of it is known at a message only. */
export function hasMacro(text: string): boolean {
  return text.includes('$')
}
