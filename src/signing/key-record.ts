/**
 * The record of a public key (RFC 6376 §3.6.1; RFC 8463 §4): made from a key,
 * written in the forms that people need, and compared with a key. No I/O.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { SigningAlgorithm } from '../auth/dkim/signing-order.ts'
import { strangerText } from '../auth/stranger-text.ts'
import { publicDataOf } from './private-key.ts'

export interface PublicHalf {
  readonly algorithm: SigningAlgorithm
  readonly publicData: string
}

const KEY_TYPES: Readonly<Record<SigningAlgorithm, string>> = { 'rsa-sha256': 'rsa', 'ed25519-sha256': 'ed25519' }
const HASH = 'sha256'
/** RFC 1035 §3.3: of one character-string */
const MAX_STRING = 255
const MAX_RECORD_CHARACTERS = 8192

export function recordName({ domain, selector }: { readonly domain: string; readonly selector: string }): string {
  return `${selector}._domainkey.${domain}`
}

/** The text of the record, as one string. */
export function recordText({ algorithm, publicData }: PublicHalf): string {
  return `v=DKIM1; k=${KEY_TYPES[algorithm]}; p=${publicData}`
}

/** As character-strings of at most 255 octets, which receivers join without anything between (RFC 6376 §3.6.2.2). */
export function recordStrings(text: string): readonly string[] {
  return text.match(new RegExp(`[^]{1,${MAX_STRING}}`, 'g')) ?? ['']
}

/**
 * - `zone`: a line for a zone file (RFC 1035 §5.1), the text in strings of 255
 *   octets, each on a line of its own where there are several;
 * - `web`: name and text one below the other, each in one piece, for the web
 *   pages of registrars, which split by themselves and want no quotes;
 * - `raw`: the text alone.
 */
export type RecordForm = 'zone' | 'web' | 'raw'

export function formatRecord(about: { readonly domain: string; readonly selector: string }, text: string, form: RecordForm): string {
  const name = recordName(about)
  switch (form) {
    case 'raw': return `${text}\n`
    case 'web': return `type:  TXT\nname:  ${about.selector}._domainkey   (or, where the whole name is wanted: ${name})\nvalue: ${text}\n`
    case 'zone': {
      const strings = recordStrings(text).map((one) => `"${one.replace(/["\\]/g, '\\$&')}"`)
      return strings.length === 1 ? `${name}. IN TXT ${strings[0] ?? ''}\n` : `${name}. IN TXT (\n${strings.map((one) => `    ${one}\n`).join('')})\n`
    }
  }
}

export type Comparison =
  | { readonly status: 'matches' }
  | { readonly status: 'mismatch' }
  /** `p=` is empty (RFC 6376 §3.6.1) */
  | { readonly status: 'revoked' }
  | { readonly status: 'unusable'; readonly why: string }

/** @param text all strings of the record, joined */
export function compareRecord(text: string, key: PublicHalf): Comparison {
  const tags = readTags(text)
  if (tags === undefined) return unusable('the record is no list of tags (v=DKIM1; k=…; p=…)')
  const version = tags.get('v')
  if (version !== undefined && (version !== 'DKIM1' || [...tags.keys()][0] !== 'v')) return unusable(`the record begins with v=${shown(version)}, or has v= not in front: v=DKIM1 comes first`)
  const data = tags.get('p')?.replace(/[ \t\r\n]+/g, '')
  if (data === undefined) return unusable('the record has no p=')
  if (data === '') return { status: 'revoked' }
  const type = tags.get('k') ?? 'rsa'
  if (type !== KEY_TYPES[key.algorithm]) return unusable(`the record says k=${shown(type)}, and the key is ${KEY_TYPES[key.algorithm]}`)
  const hashes = listOf(tags.get('h'))
  if (hashes !== undefined && !hashes.includes(HASH)) return unusable(`the record allows the hashes h=${shown(tags.get('h') ?? '')}, and not ${HASH}`)
  const services = listOf(tags.get('s'))
  if (services !== undefined && !services.includes('*') && !services.includes('email')) return unusable(`the record is for s=${shown(tags.get('s') ?? '')}, and not for email`)
  return comparePublic(data, key)
}

/** `t=y`: the owner says that the key is being tested (receivers may ignore its signatures). `t=s`: no `i=` below `d=`. */
export function recordFlags(text: string): readonly string[] {
  return listOf(readTags(text)?.get('t')) ?? []
}

function comparePublic(data: string, key: PublicHalf): Comparison {
  if (data === key.publicData) return { status: 'matches' }
  const bytes = Buffer.from(data, 'base64')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data) || bytes.length === 0) return unusable('the p= of the record is no base64')
  if (key.algorithm === 'ed25519-sha256') return bytes.length === 32 ? compared(bytes.toString('base64'), key) : unusable(`the p= of the record has ${bytes.length} bytes, and an Ed25519 key has 32 (RFC 8463)`)
  // RFC 6376 §3.6.1 means RSAPublicKey, everybody publishes SubjectPublicKeyInfo, receivers take both.
  const published = publicKeyOf(bytes, 'spki') ?? publicKeyOf(bytes, 'pkcs1')
  if (published === undefined) return unusable('the p= of the record is no public key: it may be cut off, or a part of it is there twice')
  if (published.asymmetricKeyType !== 'rsa') return unusable('the p= of the record is not of an RSA key')
  return compared(publicDataOf(published), key)
}

function compared(data: string, key: PublicHalf): Comparison {
  return data === key.publicData ? { status: 'matches' } : { status: 'mismatch' }
}

function publicKeyOf(bytes: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key: bytes, format: 'der', type })
  } catch {
    // What it is instead is of no use to anybody.
    return undefined
  }
}

/** RFC 6376 §3.2; undefined where it is no list of tags, or has one twice. */
function readTags(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > MAX_RECORD_CHARACTERS) return undefined
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (parts.at(-1)?.trim() === '') parts.pop()
  for (const part of parts) {
    const found = /^[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=([^]*)$/.exec(part)
    const [, name = '', value = ''] = found ?? []
    if (found === null || tags.has(name)) return undefined
    tags.set(name, value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''))
  }
  return tags.size === 0 ? undefined : tags
}

function listOf(value: string | undefined): readonly string[] | undefined {
  return value?.split(':').map((one) => one.trim().toLowerCase())
}

function shown(text: string): string {
  return strangerText(text, 60)
}

function unusable(why: string): Comparison {
  return { status: 'unusable', why }
}
