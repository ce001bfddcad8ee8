/**
 * Formats of `signing` and of what goes with AUTH: keys, selectors, field
 * names, senders, credentials of a hop. Pure; files are read later.
 */
import type { Canonicalization } from '../auth/dkim/signing-order.ts'
import { listOf, oneOf, flag, read, refuse, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { SASL_MECHANISMS } from '../submission/settings.ts'
import type { SaslMechanism } from '../submission/settings.ts'
import type { TableFile } from '../signing/settings.ts'
import { tableFile } from '../signing/table-file.ts'
import { Keys } from './format-mapping.ts'
import { filePath, hopAddress, normaliseDomain, reference } from './format-names.ts'
import type { SocketAddress } from './settings.ts'
import { isMapping, showValue } from './source.ts'

/** RFC 6376 §3.1: sub-domains, so that it may have dots. */
export const selector: Format<string> = textFormat({ type: 'selector', allowed: 'labels of letters, digits and - such as s2026 or 2026.mail' }, (text) => {
  const name = text.toLowerCase()
  return name.length <= 100 && name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) ? read(name) : refuse(`found ${showValue(text)}`)
})

const signingDomain: Format<string> = textFormat({ type: 'domain', allowed: 'a domain name such as example.org' }, (text) => {
  const domain = normaliseDomain(text)
  return domain === undefined || domain.startsWith('[') ? refuse(`${showValue(text)} is not a domain name`) : read(domain)
})

/** Whose mail a key signs: as `sender`, and `@.example.org` for all below a domain, `*` for everybody. */
const signedSender: Format<string> = textFormat({ type: 'sender', allowed: 'an address such as anna@example.org; @example.org, @.example.org for all below it, or * for everybody' }, (text) => {
  if (text === '*') return read(text)
  if (!text.startsWith('@.')) return senderPattern.read(text)
  const domain = normaliseDomain(text.slice(2))
  return domain === undefined || domain.startsWith('[') ? refuse(`found ${showValue(text)}`) : read(`@.${domain}`)
})

/** `anna@example.org`, or `@example.org` for all of the domain. The domain as A-labels in lower case. */
export const senderPattern: Format<string> = textFormat({ type: 'sender', allowed: 'an address such as anna@example.org, or @example.org for all of a domain' }, (text) => {
  const at = text.lastIndexOf('@')
  const domain = at < 0 ? undefined : normaliseDomain(text.slice(at + 1))
  const local = text.slice(0, Math.max(at, 0))
  if (domain === undefined || domain.startsWith('[') || !/^[^\s"(),:;<>@[\\\]]{0,64}$/.test(local)) return refuse(`found ${showValue(text)}`)
  return read(`${local.toLowerCase()}@${domain}`)
})

/** RFC 2919 §2; only compared */
const listId: Format<string> = textFormat({ type: 'List-Id', allowed: 'a List-Id without its brackets, such as news.example.org' }, (text) =>
  (/^[\x21-\x3b\x3d\x3f-\x7e]{1,255}$/.test(text) ? read(text.toLowerCase()) : refuse(`found ${showValue(text)}`)))

const login: Format<string> = textFormat({ type: 'user', allowed: 'a user such as anna or anna@example.org' }, (text) =>
  (/^[^\s:]{1,255}$/.test(text) ? read(text.toLowerCase()) : refuse(`found ${showValue(text)}`)))

const MAX_NAMED = 1000

export interface KeyItem {
  readonly domain: string
  readonly selector: string
  readonly key: string
  readonly subdomains: boolean
  readonly senders: readonly string[] | undefined
  readonly listIds: readonly string[] | undefined
  readonly users: readonly string[] | undefined
  readonly listeners: readonly string[] | undefined
}

/** `{ domain: example.org, selector: s2026, key: FILE }` and what narrows it. */
export const signingKey: Format<KeyItem> = {
  type: 'signing key',
  allowed: '{ domain: example.org, selector: s2026, key: FILE }, and with it subdomains, senders, list_ids, users, listeners',
  parts: {
    domain: 'The domain that signs (`d=`), and whose mail is signed: that of From.',
    selector: 'The name of the key (`s=`): its record is at `SELECTOR._domainkey.DOMAIN`.',
    key: 'PEM file of the private key, RSA of 2048 bits and up or Ed25519, without a passphrase, which nobody else can read.',
    subdomains: '`true`: mail from all names below the domain is signed too. `false` where it is left out.',
    senders: 'Mail from these, whatever the domain of the key: addresses, `@example.org` for a whole domain, `@.example.org` for all below it, `*` for everybody.',
    list_ids: 'Mail whose List-Id (RFC 2919) is one of these, whatever its author; `.example.org` for all below it. Of users who log in only with `users` beside it, since anybody can write a List-Id.',
    users: 'Only mail of these authenticated users.',
    listeners: 'Only mail that comes through these listeners.',
  },
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, ['domain', 'selector', 'key', 'subdomains', 'senders', 'list_ids', 'users', 'listeners'])
    const domain = keys.required('domain', signingDomain)
    const name = keys.required('selector', selector)
    const key = keys.required('key', filePath)
    const item = {
      subdomains: keys.optional('subdomains', flag) ?? false,
      senders: keys.optional('senders', listOf(signedSender, { min: 1, max: MAX_NAMED, type: 'list of senders' })),
      listIds: keys.optional('list_ids', listOf(listId, { min: 1, max: MAX_NAMED, type: 'list of List-Ids' })),
      users: keys.optional('users', listOf(login, { min: 1, max: MAX_NAMED, type: 'list of users' })),
      listeners: keys.optional('listeners', listOf(reference, { min: 1, max: 64, type: 'list of listeners' })),
    }
    if (domain === undefined || name === undefined || key === undefined || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
    return read({ domain, selector: name, key, ...item })
  },
}

const CANONICALIZATIONS: Readonly<Record<string, { readonly header: Canonicalization; readonly body: Canonicalization }>> = {
  'simple/simple': { header: 'simple', body: 'simple' }, 'simple/relaxed': { header: 'simple', body: 'relaxed' },
  'relaxed/simple': { header: 'relaxed', body: 'simple' }, 'relaxed/relaxed': { header: 'relaxed', body: 'relaxed' },
}

/** RFC 6376 §3.4; `relaxed` alone would mean relaxed/simple, which nobody expects: it is not taken. */
export const canonicalization: Format<{ readonly header: Canonicalization; readonly body: Canonicalization }> = textFormat(
  { type: 'canonicalization', allowed: Object.keys(CANONICALIZATIONS).join(', ') },
  (text) => {
    const found = Object.hasOwn(CANONICALIZATIONS, text) ? CANONICALIZATIONS[text] : undefined
    return found === undefined ? refuse(`found ${showValue(text)}`) : read(found)
  })

/** RFC 6376 §3.6.2: what changes on the way, or is a signature itself, is never signed. */
const NEVER_SIGNED: ReadonlySet<string> = new Set(['return-path', 'received', 'dkim-signature', 'authentication-results', 'bcc', 'resent-bcc', 'x-spam-flag', 'x-spam-status', 'x-spam-score', 'x-spam-level'])

export const fieldName: Format<string> = textFormat({ type: 'field name', allowed: 'the name of a header field such as Subject; not one that changes on the way, such as Received' }, (text) => {
  const name = text.toLowerCase()
  return /^[\x21-\x39\x3c-\x7e]{1,76}$/.test(name) && !NEVER_SIGNED.has(name) ? read(name) : refuse(`found ${showValue(text)}`)
})

export const loginName: Format<string> = textFormat({ type: 'user', allowed: '1 to 255 printable characters' }, (text) =>
  (Buffer.byteLength(text) <= 255 && text !== '' ? read(text) : refuse(`found ${showValue(text)}`)))

export interface SenderLoginItem {
  readonly sender: string
  readonly user: string
  readonly passwordFile: string
  readonly addresses: readonly SocketAddress[] | undefined
}

/** `{ sender: "@example.org", user: NAME, password_file: FILE }` */
export const senderLogin: Format<SenderLoginItem> = {
  type: 'sender login',
  allowed: '{ sender: "@example.org", user: NAME, password_file: FILE }',
  parts: {
    sender: 'The reverse-path: an address, or `@example.org` for a whole domain. The address goes before the domain.',
    user: 'Who we are to the hop for such mail.',
    password_file: 'The file of the password: its first line.',
    smtp: 'Other servers for such mail than those of the hop.',
  },
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, ['sender', 'user', 'password_file', 'smtp'])
    const sender = keys.required('sender', senderPattern)
    const user = keys.required('user', loginName)
    const passwordFile = keys.required('password_file', filePath)
    const addresses = keys.optional('smtp', listOf(hopAddress, { min: 1, max: 16, type: 'address, or list of addresses' }))
    if (sender === undefined || user === undefined || passwordFile === undefined || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
    return read({ sender, user, passwordFile, addresses })
  },
}

/** EXTERNAL goes with client certificates, which have a key of their own. */
const MECHANISMS = SASL_MECHANISMS.filter((name) => name !== 'EXTERNAL')
export const MECHANISM_COUNT = MECHANISMS.length
export const saslMechanism: Format<SaslMechanism> = oneOf(...MECHANISMS)

/** A file on this machine that somebody listens on. */
export const socketPath: Format<string> = textFormat({ type: 'socket', allowed: 'unix:/path of a socket, such as unix:/run/dovecot/auth-client' }, (text) => {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : ''
  return path === '' || path.endsWith('/') ? refuse(`found ${showValue(text)}`) : read(path)
})

/** A table of OpenDKIM's kind: `/path`, `file:/path` or `refile:/path`. */
export const table: Format<TableFile> = textFormat({ type: 'table', allowed: '/path, file:/path or refile:/path' }, (text) => {
  const reading = tableFile(text)
  return reading.status === 'ok' ? read(reading.table) : refuse(reading.problem, reading.allowed)
})
