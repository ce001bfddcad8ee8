/**
 * Reads a password as a users file has it, `{SCHEME}…` as in Dovecot, or bare
 * in crypt(3)'s form: which scheme it is, with which cost, and its parts.
 *
 * No I/O. What cannot be checked, or would cost too much, is refused with a
 * sentence that says what is allowed; the password itself stands in none. An
 * empty field, and what shadow files have for "no password" (`*`, `!…`, `x`),
 * is `none`: a user who cannot log in.
 */
import { SHA_CRYPT_DEFAULT_ROUNDS, SHA_CRYPT_MIN_ROUNDS, type ShaCryptScheme } from './sha-crypt.ts'

export interface Argon2Hash {
  readonly scheme: 'argon2id' | 'argon2i'
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Buffer
  readonly tag: Buffer
}

export interface ScryptHash {
  readonly scheme: 'scrypt'
  /** log2 of N */
  readonly ln: number
  readonly blockSize: number
  readonly lanes: number
  readonly salt: Buffer
  readonly key: Buffer
}

export interface BcryptHash {
  readonly scheme: 'bcrypt'
  readonly cost: number
  /** whole */
  readonly text: string
}

export interface ShaCryptHash {
  readonly scheme: ShaCryptScheme
  readonly rounds: number
  readonly salt: string
  /** the last part of the crypt string */
  readonly hash: string
}

/** RFC 5803, without the password */
export interface ScramSecret {
  readonly scheme: 'scram-sha-256'
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

export interface CramSecret {
  readonly scheme: 'cram-md5'
  /** HMAC-MD5 behind its outer and inner key */
  readonly contexts: Buffer
}

export interface PlainSecret {
  readonly scheme: 'plain'
  readonly secret: string
}

export type PasswordHash = Argon2Hash | ScryptHash | BcryptHash | ShaCryptHash | ScramSecret | CramSecret | PlainSecret

export type ParsedPassword =
  | { readonly status: 'ok'; readonly hash: PasswordHash; readonly warning?: string }
  | { readonly status: 'none' }
  | { readonly status: 'refused'; readonly why: string }

/** What one login may cost; a few seconds of a core at most. */
export const MAX_ARGON2_KIB = 256 * 1024
const MAX_ARGON2_WORK_KIB = 4 * 1024 * 1024
const MAX_LANES = 16
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024
export const MAX_BCRYPT_COST = 15
export const MAX_SHA_CRYPT_ROUNDS = 1_000_000
export const MAX_SCRAM_ITERATIONS = 1_000_000
const WEAK_SCRAM_ITERATIONS = 4096
const MAX_SALT_BYTES = 64
const MAX_TAG_BYTES = 128

export const KNOWN_SCHEMES = 'ARGON2ID, ARGON2I, BLF-CRYPT, SHA512-CRYPT, SHA256-CRYPT, SCRYPT, SCRAM-SHA-256, CRAM-MD5, PLAIN, CRYPT'

export function parsePassword(field: string): ParsedPassword {
  if (field === '' || field === 'x' || field === '*' || field.startsWith('!')) return { status: 'none' }
  if (!field.startsWith('{')) return field.startsWith('$') ? parseCrypt(field) : refused(`the password has no scheme; one of ${KNOWN_SCHEMES} goes in front of it in braces`)
  const match = /^\{([A-Za-z0-9-]{1,32})(?:\.([A-Za-z0-9]{1,8}))?\}(.*)$/s.exec(field)
  if (match === null) return refused('the scheme in front of the password is malformed; it is {SCHEME}')
  const [, name = '', encoding, data = ''] = match
  const decoded = decode(data, encoding?.toLowerCase())
  if (decoded === null) return refused(`what stands behind {${name}.${encoding ?? ''}} is not in that encoding; allowed: .b64, .base64, .hex`)
  return parseScheme(name.toUpperCase(), decoded)
}

function parseScheme(scheme: string, data: Buffer): ParsedPassword {
  const text = data.toString('latin1')
  switch (scheme) {
    case 'ARGON2ID':
    case 'ARGON2I': return text.startsWith(`$${scheme.toLowerCase()}$`) ? parseArgon2(text) : refused(`what stands behind {${scheme}} is not of its form, $${scheme.toLowerCase()}$v=19$m=…,t=…,p=…$salt$hash`)
    case 'SCRYPT': return parseScrypt(text)
    case 'BLF-CRYPT': return parseBcrypt(text)
    case 'SHA512-CRYPT': return text.startsWith('$6$') ? parseShaCrypt(text) : refused('what stands behind {SHA512-CRYPT} does not begin with $6$')
    case 'SHA256-CRYPT': return text.startsWith('$5$') ? parseShaCrypt(text) : refused('what stands behind {SHA256-CRYPT} does not begin with $5$')
    case 'CRYPT': return parseCrypt(text)
    case 'SCRAM-SHA-256': return parseScram(text)
    case 'CRAM-MD5':
    case 'HMAC-MD5': return parseCram(data)
    case 'PLAIN':
    case 'CLEAR':
    case 'CLEARTEXT': return parsePlain(data)
    default: return refused(`{${scheme}} is not a scheme that can be checked here; allowed: ${KNOWN_SCHEMES}`)
  }
}

function parseCrypt(text: string): ParsedPassword {
  if (/^\$argon2/.test(text)) return parseArgon2(text)
  if (/^\$2[a-z]?\$/.test(text)) return parseBcrypt(text)
  if (/^\$[56]\$/.test(text)) return parseShaCrypt(text)
  if (text.startsWith('$scrypt$')) return parseScrypt(text)
  const prefix = /^\$[A-Za-z0-9-]{1,10}\$/.exec(text)?.[0]
  return refused(`${prefix === undefined ? 'the old form of crypt(3)' : `crypt(3)'s ${prefix}`} cannot be checked here; allowed: $2a$ $2b$ $2y$ $5$ $6$ $argon2id$ $argon2i$`)
}

function parseArgon2(text: string): ParsedPassword {
  const match = /^\$(argon2id|argon2i)\$v=(\d{1,3})\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$([A-Za-z0-9+/=]*)\$([A-Za-z0-9+/=]*)$/.exec(text)
  if (match === null) return refused('the Argon2 hash is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash')
  const [, scheme, version] = match
  const [memoryKiB = 0, passes = 0, lanes = 0] = match.slice(3, 6).map(Number)
  const salt = base64(match[6] ?? '')
  const tag = base64(match[7] ?? '')
  if (version !== '19') return refused(`version ${version ?? ''} of Argon2; allowed: 19`)
  if (salt === null || salt.length < 8 || salt.length > MAX_SALT_BYTES || tag === null || tag.length < 12 || tag.length > MAX_TAG_BYTES) return refused('salt or hash of Argon2 is malformed')
  if (lanes < 1 || lanes > MAX_LANES) return refused(`Argon2 with p=${lanes}; allowed: 1 to ${MAX_LANES}`)
  if (memoryKiB < 8 * lanes || memoryKiB > MAX_ARGON2_KIB) return refused(`Argon2 with m=${memoryKiB}; allowed: ${8 * lanes} to ${MAX_ARGON2_KIB} (KiB)`)
  if (passes < 1 || passes * memoryKiB > MAX_ARGON2_WORK_KIB) return refused(`Argon2 with t=${passes} and m=${memoryKiB}; allowed: t × m up to ${MAX_ARGON2_WORK_KIB}`)
  return { status: 'ok', hash: { scheme: scheme === 'argon2i' ? 'argon2i' : 'argon2id', memoryKiB, passes, lanes, salt, tag } }
}

function parseScrypt(text: string): ParsedPassword {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([A-Za-z0-9+/=]*)\$([A-Za-z0-9+/=]*)$/.exec(text)
  if (match === null) return refused('the scrypt hash is not of the form $scrypt$ln=…,r=…,p=…$salt$hash')
  const [ln = 0, blockSize = 0, lanes = 0] = match.slice(1, 4).map(Number)
  const salt = base64(match[4] ?? '')
  const key = base64(match[5] ?? '')
  if (salt === null || salt.length < 8 || salt.length > MAX_SALT_BYTES || key === null || key.length < 16 || key.length > MAX_TAG_BYTES) return refused('salt or hash of scrypt is malformed')
  const bytes = 128 * 2 ** ln * blockSize
  if (ln < 1 || blockSize < 1 || lanes < 1 || lanes > MAX_LANES || bytes > MAX_SCRYPT_BYTES || bytes * lanes > 4 * MAX_SCRYPT_BYTES) {
    return refused(`scrypt with ln=${ln},r=${blockSize},p=${lanes}; allowed: 128 × 2^ln × r up to ${MAX_SCRYPT_BYTES}, and ${4 * MAX_SCRYPT_BYTES} with p`)
  }
  return { status: 'ok', hash: { scheme: 'scrypt', ln, blockSize, lanes, salt, key } }
}

function parseBcrypt(text: string): ParsedPassword {
  const match = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)
  if (match === null) return refused('the bcrypt hash is not of the form $2b$10$ with 53 characters behind it; allowed: $2a$, $2b$, $2y$')
  const cost = Number(match[1])
  if (cost < 4 || cost > MAX_BCRYPT_COST) return refused(`bcrypt with a cost of ${cost}; allowed: 4 to ${MAX_BCRYPT_COST}`)
  return { status: 'ok', hash: { scheme: 'bcrypt', cost, text } }
}

function parseShaCrypt(text: string): ParsedPassword {
  const match = /^\$([56])\$(?:rounds=(\d{1,12})\$)?([^$:\n]{0,64})\$([./A-Za-z0-9]+)$/.exec(text)
  const scheme: ShaCryptScheme = match?.[1] === '5' ? 'sha256-crypt' : 'sha512-crypt'
  if (match === null || match[4]?.length !== (scheme === 'sha256-crypt' ? 43 : 86)) return refused(`the SHA-${text[1] === '5' ? '256' : '512'} crypt hash is malformed`)
  const asked = match[2] === undefined ? SHA_CRYPT_DEFAULT_ROUNDS : Number(match[2])
  if (asked > MAX_SHA_CRYPT_ROUNDS) return refused(`rounds=${asked}; allowed: up to ${MAX_SHA_CRYPT_ROUNDS}`)
  const salt = Buffer.from(match[3] ?? '', 'latin1').toString('utf8')
  // Fewer are not fewer: the specification counts at least a thousand.
  return { status: 'ok', hash: { scheme, rounds: Math.max(asked, SHA_CRYPT_MIN_ROUNDS), salt, hash: match[4] } }
}

/** Dovecot's form of RFC 5803. */
function parseScram(text: string): ParsedPassword {
  const [rounds = '', salt64 = '', stored64 = '', server64 = '', ...more] = text.split(',')
  const [salt, storedKey, serverKey] = [base64(salt64), base64(stored64), base64(server64)]
  if (!/^\d{1,9}$/.test(rounds) || more.length > 0 || salt === null || salt.length < 1 || salt.length > MAX_SALT_BYTES || storedKey?.length !== 32 || serverKey?.length !== 32) {
    return refused('what stands behind {SCRAM-SHA-256} is not of the form iterations,salt,StoredKey,ServerKey')
  }
  const iterations = Number(rounds)
  if (iterations < 1 || iterations > MAX_SCRAM_ITERATIONS) return refused(`SCRAM-SHA-256 with ${iterations} iterations; allowed: up to ${MAX_SCRAM_ITERATIONS}`)
  const hash: PasswordHash = { scheme: 'scram-sha-256', iterations, salt, storedKey, serverKey }
  return iterations < WEAK_SCRAM_ITERATIONS ? { status: 'ok', hash, warning: `SCRAM-SHA-256 with ${iterations} iterations; RFC 7677 wants ${WEAK_SCRAM_ITERATIONS} at least` } : { status: 'ok', hash }
}

function parseCram(data: Buffer): ParsedPassword {
  const text = data.toString('latin1')
  const contexts = /^[0-9A-Fa-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : data
  return contexts.length === 32 ? { status: 'ok', hash: { scheme: 'cram-md5', contexts } } : refused('what stands behind {CRAM-MD5} is not 64 hexadecimal digits')
}

function parsePlain(data: Buffer): ParsedPassword {
  const secret = data.toString('utf8')
  if (secret === '') return { status: 'none' }
  return { status: 'ok', hash: { scheme: 'plain', secret }, warning: 'the password stands here as it is: whoever reads the file has it' }
}

function decode(data: string, encoding: string | undefined): Buffer | null {
  switch (encoding) {
    case undefined: return Buffer.from(data, 'utf8')
    case 'b64':
    case 'base64': return base64(data)
    case 'hex': return /^(?:[0-9A-Fa-f]{2})*$/.test(data) ? Buffer.from(data, 'hex') : null
    default: return null
  }
}

/** With padding or without; null where it is none. */
function base64(text: string): Buffer | null {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1 ? Buffer.from(text, 'base64') : null
}

function refused(why: string): ParsedPassword {
  return { status: 'refused', why }
}
