/**
 * Formats of names, addresses and paths: host names and domains (RFC 5321
 * §2.3.5, RFC 5890 A-labels), address literals (§4.1.3), socket addresses,
 * mailboxes, owners, file modes. Pure; what a name refers to is checked later.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { parseMailboxTemplate } from '../delivery/mailbox-path.ts'
import type { Domain } from '../smtp/envelope.ts'
import type { SocketAddress } from './settings.ts'
import { read, readMapping, refuse, textFormat } from './format.ts'
import type { Format, FormatProblem, Reading } from './format.ts'
import { parseIPv6 } from './networks.ts'
import { isMapping, showValue } from './source.ts'

const DOMAIN_ALLOWED = 'a domain name such as mx.example.org, or an address literal such as [192.0.2.1] or [IPv6:2001:db8::1]'
/** sun_path of Linux holds 108 bytes, the last of them 0 */
const MAX_UNIX_PATH_BYTES = 107

/** Lower case, A-labels, without a final dot; undefined where it is neither a domain name nor a literal. */
export function normaliseDomain(text: string): Domain | undefined {
  if (text.startsWith('[')) return normaliseLiteral(text)
  const name = asciiName(text)
  // Only digits in the last label: an address, not a name (RFC 1123 §2.1).
  if (name === undefined || /(^|\.)[0-9]+$/.test(name)) return undefined
  const labels = name.split('.')
  return labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) ? name as Domain : undefined
}

/** In lower case; names outside ASCII as A-labels. `domainToASCII` reads URLs' hosts (`1.2` is 1.0.0.2 there), so plain names do not pass it. */
function asciiName(text: string): string | undefined {
  const plain = /^[\x21-\x7e]+$/.test(text)
  const name = (plain ? text.toLowerCase() : /[\s%]/.test(text) ? '' : domainToASCII(text)).replace(/\.$/, '')
  return name === '' || name.length > 253 ? undefined : name
}

function normaliseLiteral(text: string): Domain | undefined {
  const inner = /^\[(.*)\]$/.exec(text)?.[1] ?? ''
  if (isIPv4(inner)) return text as Domain
  const six = /^ipv6:(.*)$/i.exec(inner)?.[1]
  return six !== undefined && isIPv6(six) && !six.includes('%') ? text.toLowerCase() as Domain : undefined
}

export const domainName: Format<Domain> = textFormat({ type: 'domain name', allowed: DOMAIN_ALLOWED }, (text) => {
  const domain = normaliseDomain(text)
  return domain === undefined ? refuse(`${showValue(text)} is not a domain name`) : read(domain)
})

/** A name that the configuration gives: of a listener, of a hop. */
export const reference: Format<string> = textFormat(
  { type: 'name', allowed: 'a name of letters, digits, - and _, beginning with a letter, at most 63 long' },
  (text) => /^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`))

export const filePath: Format<string> = textFormat(
  { type: 'path', allowed: 'a path; a relative one is taken from the directory of the configuration file' },
  (text) => text === '' ? refuse('found an empty path') : read(text))

export const mailboxPath: Format<string> = textFormat(
  { type: 'path', allowed: "a path; {domain}, {local}, {user} stand for the recipient's parts" },
  (text) => {
    const template = parseMailboxTemplate(text)
    return template.status === 'ok' ? read(text) : refuse(`found ${showValue(text)}: ${template.why}`)
  })

/** `host:port`, `[v6]:port` or `unix:/path`. A listener is bound to an address; a hop may also be named. */
function socketAddress(use: 'listen' | 'hop'): Format<SocketAddress> {
  const allowed = use === 'listen'
    ? '192.0.2.1:25, [2001:db8::1]:25, 0.0.0.0:25, [::]:25, localhost:25 or unix:/path'
    : 'mail.example.org:25, 192.0.2.1:25, [2001:db8::1]:25 or unix:/path'
  return textFormat({ type: 'address', allowed }, (text) => {
    if (text.startsWith('unix:')) return unixAddress(text.slice('unix:'.length), text)
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text)
    if (match === null) return refuse(addressProblem(text))
    const port = Number(match[3])
    // Port 0 of a listener: the system chooses a free one.
    if (port > 65535 || (port === 0 && use === 'hop')) return refuse(`${showValue(text)} has no valid port`)
    const host = match[1] === undefined ? normaliseHost(match[2] ?? '', use) : normaliseAddress(match[1], 6)
    return host === undefined ? refuse(`${showValue(text)} has no valid host`) : read({ kind: 'tcp', host, port })
  })
}

function addressProblem(text: string): string {
  if (isIPv6(text) || /^[0-9a-f:]+:[0-9]+$/i.test(text)) return `found ${showValue(text)}; an IPv6 address stands in brackets, with a port behind`
  return /^[^:]+$/.test(text) && !text.startsWith('/') ? `${showValue(text)} has no port` : `found ${showValue(text)}`
}

function unixAddress(path: string, text: string): Reading<SocketAddress> {
  if (path === '' || path.endsWith('/')) return refuse(`${showValue(text)} names no socket`)
  return read({ kind: 'unix', path })
}

/** Said once the path is absolute. */
export function unixPathProblem(path: string): string | undefined {
  const length = Buffer.byteLength(path)
  return length > MAX_UNIX_PATH_BYTES ? `the path of a unix socket has at most ${MAX_UNIX_PATH_BYTES} bytes, ${quoteLength(path, length)}` : undefined
}

function quoteLength(path: string, length: number): string {
  return `${showValue(path)} has ${length}`
}

function normaliseHost(host: string, use: 'listen' | 'hop'): string | undefined {
  if (isIP(host) !== 0) return normaliseAddress(host, 4)
  if (use === 'listen') return host.toLowerCase() === 'localhost' ? '127.0.0.1' : undefined
  // Names in private networks (containers) may hold underscores; the resolver decides.
  const name = asciiName(host)
  if (name === undefined || /(^|\.)[0-9]+$/.test(name)) return undefined
  return name.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) ? name : undefined
}

/** One spelling for one address, so that equal addresses compare equal; a mapped IPv4 address as IPv4. */
function normaliseAddress(host: string, family: 4 | 6): string | undefined {
  if (family === 4) return isIPv4(host) ? host : undefined
  if (!isIPv6(host)) return undefined
  const address = parseIPv6(host)
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toString()
}

export const listenAddress = socketAddress('listen')
export const hopAddress = socketAddress('hop')

/** `host:port` as the configuration writes it. */
export function formatAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Where mail for unknown users goes: a local part, or a whole address. */
export const mailbox: Format<{ readonly text: string; readonly domain: Domain | undefined }> = textFormat(
  { type: 'mailbox', allowed: 'a user such as postmaster, or an address such as postmaster@example.org' },
  (text) => {
    const at = text.lastIndexOf('@')
    const local = at < 0 ? text : text.slice(0, at)
    const domain = at < 0 ? undefined : normaliseDomain(text.slice(at + 1))
    // A dot-string (RFC 5321 §4.1.2); a mailbox that needs quoting is none to send strays to.
    const isLocalPart = /^[^\s"(),:;<>@[\\\]]+$/.test(local) && !/^\.|\.\.|\.$/.test(local) && Buffer.byteLength(local) <= 64
    if (!isLocalPart || (at >= 0 && domain === undefined)) return refuse(`${showValue(text)} is not a mailbox`)
    return read({ text: domain === undefined ? local : `${local}@${domain}`, domain })
  })

/** Characters that may begin a suffix: those of an atom (RFC 5322 §3.2.3) that no name needs. */
export const suffixCharacters: Format<string> = textFormat(
  { type: 'characters', allowed: 'any of + - _ = # ~ ^, each once; "" for none' },
  (text) => /^[-+_=#~^]{0,7}$/.test(text) && new Set(text).size === text.length ? read(text) : refuse(`found ${showValue(text)}`))

export interface Owner {
  readonly user: string
  readonly group: string | undefined
}

export const owner: Format<Owner> = textFormat(
  { type: 'owner', allowed: 'user, user:group or uid:gid' },
  (text) => {
    const match = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?))?$/.exec(text)
    return match?.[1] === undefined ? refuse(`found ${showValue(text)}`) : read({ user: match[1], group: match[2] })
  })

export const fileMode: Format<number> = textFormat(
  { type: 'file mode', allowed: 'octal digits such as 0600 or 0660: the owner reads and writes, nobody executes' },
  (text) => {
    const mode = /^0?o?[0-7]{3}$/.test(text) ? Number.parseInt(text.replace(/^0?o/, ''), 8) : -1
    return mode < 0 || (mode & 0o600) !== 0o600 || (mode & 0o111) !== 0 ? refuse(`found ${showValue(text)}`) : read(mode)
  })

export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

/** `{ cert: PATH, key: PATH }`. */
export const certificatePair: Format<CertificatePair> = {
  type: 'certificate',
  allowed: '{ cert: PATH, key: PATH }',
  parts: { cert: 'PEM file of a certificate and its chain.', key: 'PEM file of its private key.' },
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const problems: FormatProblem[] = [...readMapping(raw, ['cert', 'key'])]
    const cert = filePath.read(raw.get('cert') ?? null)
    const key = filePath.read(raw.get('key') ?? null)
    if (cert.status === 'refused') problems.push(...cert.problems.map((p) => ({ ...p, at: ['cert'] })))
    if (key.status === 'refused') problems.push(...key.problems.map((p) => ({ ...p, at: ['key'] })))
    if (cert.status === 'refused' || key.status === 'refused' || problems.length > 0) return { status: 'refused', problems }
    return read({ cert: cert.value, key: key.value })
  },
}
