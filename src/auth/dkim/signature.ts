/**
 * Reads a DKIM-Signature (RFC 6376 §3.5, §6.1.1), or an ARC-Message-Signature,
 * which is one with another `i=` and without `v=` (RFC 8617 §4.1.2). Pure;
 * nothing throws.
 *
 * What breaks a rule is `invalid`, with the cause in a few words; rsa-sha1 is
 * `weak` and not looked at any further (RFC 8301 §3.1). Either way the tags
 * are there for a report, as far as they can be read.
 */
import { domainToASCII } from 'node:url'
import type { SignableField } from './canonical-header.ts'
import type { Canonicalization } from './signing-order.ts'
import { colonList, parseTagList, withoutSpace } from './tag-list.ts'
import type { Tag } from './tag-list.ts'

export type SignatureKind = 'dkim' | 'arc'

export interface SignatureForm {
  readonly header: Canonicalization
  readonly body: Canonicalization
}

export interface Signature {
  readonly keyType: 'rsa' | 'ed25519'
  /** how it may have been made: one form, but for an ARC-Message-Signature that does not say */
  readonly forms: readonly [SignatureForm, ...SignatureForm[]]
  /** lower case, A-labels */
  readonly domain: string
  readonly selector: string
  /** of i=; the same as `domain` where there is none */
  readonly identityDomain: string
  /** lower case, repetitions kept */
  readonly fieldNames: readonly string[]
  /** base64 without padding */
  readonly bodyHash: string
  readonly bytes: Buffer
  /** l= */
  readonly bodyLimit: number | undefined
  /** seconds; whoever signs by a clock that is ahead passes all the same (§3.5 leaves that to the verifier) */
  readonly signedAt: number | undefined
  readonly expiresAt: number | undefined
  /** the field with an empty b=, as it was signed (§3.7) */
  readonly own: SignableField
}

export interface ReadSignature {
  readonly tags: ReadonlyMap<string, Tag>
  readonly reading:
    | { readonly status: 'valid'; readonly signature: Signature }
    | { readonly status: 'invalid' | 'weak'; readonly cause: string }
}

const SYNTAX = 'signature syntax error'

export function readSignature(field: SignableField, kind: SignatureKind): ReadSignature {
  const valueStart = field.text.indexOf(':') + 1
  const list = parseTagList(field.text.endsWith('\r\n') ? field.text.slice(valueStart, -2) : field.text.slice(valueStart))
  const reading = read({ kind, tags: list.tags, fault: list.fault })
  if (typeof reading === 'string') return { tags: list.tags, reading: { status: reading === WEAK ? 'weak' : 'invalid', cause: reading } }
  const b = list.tags.get('b')
  const text = b === undefined ? field.text : field.text.slice(0, valueStart + b.start) + field.text.slice(valueStart + b.end)
  return { tags: list.tags, reading: { status: 'valid', signature: { ...reading, own: { key: field.key, text } } } }
}

const WEAK = 'weak algorithm'

interface Input {
  readonly kind: SignatureKind
  readonly tags: ReadonlyMap<string, Tag>
  readonly fault: string | null
}

/** The signature, or what is wrong with it. */
function read(input: Input): Omit<Signature, 'own'> | string {
  const value = (name: string): string | undefined => input.tags.get(name)?.value
  const algorithm = value('a')?.toLowerCase()
  const keyType = algorithm === 'rsa-sha256' || algorithm === 'rsa-sha1' ? 'rsa' : algorithm === 'ed25519-sha256' ? 'ed25519' : undefined
  if (keyType === undefined || (algorithm === 'rsa-sha1' && input.kind === 'arc')) return algorithm === undefined ? MISSING : 'unknown algorithm'
  const forms = formsOf(value('c'), input.kind)
  if (forms === undefined) return 'unknown canonicalization'
  const trouble = tagTrouble(input)
  if (trouble !== undefined) return trouble
  if (algorithm === 'rsa-sha1') return WEAK
  const identity = identityOf(input)
  if (typeof identity === 'string') return identity
  const { domain, identityDomain } = identity
  const selector = asciiName(value('s') ?? '')
  const fieldNames = namesOf(value('h'))
  const bodyHash = withoutSpace(value('bh') ?? '')
  const b = withoutSpace(value('b') ?? '')
  if (!SELECTOR.test(selector) || !BASE64.test(bodyHash) || !BASE64.test(b)) return SYNTAX
  const [signedAt, expiresAt, bodyLimit] = [value('t'), value('x'), value('l')].map((digits) => (digits === undefined ? undefined : Number(digits)))
  if (signedAt !== undefined && expiresAt !== undefined && expiresAt <= signedAt) return 'invalid expiration'
  if (!fieldNames.includes('from')) return 'From field not signed'
  return { keyType, forms, domain, selector, identityDomain, fieldNames, bodyHash: withoutPadding(bodyHash), bytes: Buffer.from(b, 'base64'), bodyLimit, signedAt, expiresAt }
}

/** For a comparison of base64. */
export function withoutPadding(base64: string): string {
  return base64.replace(/={1,2}$/, '')
}

const MISSING = 'signature missing required tag'
/** RFC 6376 §3.5: sub-domain is of RFC 5321; selectors with an underscore are in use. */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`)
const SELECTOR = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const FIELD_NAME = /^[\x21-\x39\x3b-\x7e]+$/
const NUMBERS: readonly (readonly [tag: string, form: RegExp])[] = [['t', /^[0-9]{1,12}$/], ['x', /^[0-9]{1,12}$/], ['l', /^[0-9]{1,76}$/]]

/** What the list as a whole, and tags that stand for themselves, do wrong. */
function tagTrouble({ kind, tags, fault }: Input): string | undefined {
  if (fault !== null) return SYNTAX
  const required = ['a', 'b', 'bh', 'd', 'h', 's', ...(kind === 'dkim' ? ['v'] : [])]
  if (required.some((name) => !tags.has(name))) return MISSING
  if (kind === 'dkim' && tags.get('v')?.value !== '1') return 'incompatible version'
  if (NUMBERS.some(([name, form]) => { const tag = tags.get(name); return tag !== undefined && !form.test(tag.value) })) return SYNTAX
  if (!namesOf(tags.get('h')?.value).every((name) => FIELD_NAME.test(name))) return SYNTAX
  const methods = tags.get('q')
  return methods !== undefined && !colonList(methods.value).includes('dns/txt') ? 'unsupported query method' : undefined
}

/** A name that is missing between two colons stands for no field, as one that is not in the message. */
function namesOf(h: string | undefined): string[] {
  return colonList(h ?? '').filter((name) => name !== '')
}

/** The drafts of ARC, and sealers written by them, take relaxed/relaxed where c= is absent; RFC 8617 §4.1.2 takes simple/simple. */
function formsOf(c: string | undefined, kind: SignatureKind): Signature['forms'] | undefined {
  if (c === undefined) return kind === 'dkim' ? [SIMPLE] : [SIMPLE, { header: 'relaxed', body: 'relaxed' }]
  const [header = '', body = 'simple', more] = withoutSpace(c).toLowerCase().split('/')
  return isCanonicalization(header) && isCanonicalization(body) && more === undefined ? [{ header, body }] : undefined
}

const SIMPLE: SignatureForm = { header: 'simple', body: 'simple' }

function isCanonicalization(word: string): word is Canonicalization {
  return word === 'simple' || word === 'relaxed'
}

/** d= and the domain of i=, which lies under it (§3.5). */
function identityOf({ kind, tags }: Input): { readonly domain: string; readonly identityDomain: string } | string {
  const domain = asciiName(tags.get('d')?.value ?? '')
  if (!DOMAIN.test(domain) || domain.length > 253) return SYNTAX
  const identity = kind === 'dkim' ? tags.get('i')?.value : undefined
  if (identity === undefined) return { domain, identityDomain: domain }
  const decoded = quotedPrintable(identity)
  const at = decoded.lastIndexOf('@')
  const identityDomain = asciiName(decoded.slice(at + 1))
  if (at < 0 || !DOMAIN.test(identityDomain)) return SYNTAX
  return identityDomain === domain || identityDomain.endsWith(`.${domain}`) ? { domain, identityDomain } : 'domain mismatch'
}

/** dkim-quoted-printable (§2.11); white space is not part of it. */
export function quotedPrintable(value: string): string {
  return withoutSpace(value).replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** A name in lower case with A-labels (RFC 8616 §3); '' where it cannot be one. */
export function asciiName(name: string): string {
  if (!/[^\x00-\x7f]/.test(name)) return name.toLowerCase()
  const text = Buffer.from(name, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? '' : domainToASCII(text)
}
