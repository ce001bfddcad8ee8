/**
 * Which users a client certificate stands for: by its fingerprint, or by a mail
 * address in it, which is worth something only where an authority that the
 * listener names has signed it. The file has lines `fingerprint user[, user…]`
 * or `address user[, user…]`; without one an address is the user of that name, if such a
 * user is known here or could be: an authority may sign for whom it likes.
 *
 * No I/O; a malformed line is an error with its number.
 */
import type { FileProblem } from '../delivery/address-file.ts'
import { parseUserName } from '../delivery/users.ts'
import type { Parsed } from '../delivery/watched-file.ts'
import type { ClientCertificate } from './facts.ts'
import { parseMapLine } from './map-lines.ts'

/** Fingerprints in lower case without colons, and addresses as users are named. */
export type CertificateMap = ReadonlyMap<string, readonly string[]>

const MAX_LINES = 100_000
const MAX_PROBLEMS = 20
const MAX_ADDRESSES = 20

export function parseCertificateMap(text: string): Parsed<CertificateMap> {
  const map = new Map<string, readonly string[]>()
  const problems: FileProblem[] = []
  const lines = text.split('\n')
  if (lines.length > MAX_LINES) return { status: 'malformed', problems: [{ line: MAX_LINES, what: `more than ${MAX_LINES} lines` }] }
  for (const [index, raw] of lines.entries()) {
    const parsed = parseMapLine(raw)
    if (parsed === null) continue
    const key = typeof parsed === 'string' ? parsed : keyOf(parsed.key)
    if (typeof parsed === 'string' || typeof key !== 'string') problems.push({ line: index + 1, what: typeof parsed === 'string' ? parsed : (key as { what: string }).what })
    else map.set(key, [...(map.get(key) ?? []), ...parsed.users])
    if (problems.length >= MAX_PROBLEMS) break
  }
  return problems.length > 0 ? { status: 'malformed', problems } : { status: 'ok', value: map, warnings: [] }
}

/**
 * @param map undefined: there is no file
 * @param couldBe whether somebody of this name may be a user here; asked without a file only
 */
export function usersOfCertificate(certificate: ClientCertificate | undefined, map: CertificateMap | undefined, couldBe: (name: string) => boolean): ReadonlySet<string> {
  if (certificate === undefined) return new Set()
  const users = [...(map?.get(certificate.fingerprint.replaceAll(':', '').toLowerCase()) ?? [])]
  if (certificate.authorized) {
    for (const address of certificate.addresses.slice(0, MAX_ADDRESSES)) {
      const name = address.includes('@') ? parseUserName(address) : null
      if (typeof name === 'string') users.push(...(map === undefined ? [name].filter(couldBe) : (map.get(name) ?? [])))
    }
  }
  return new Set(users)
}

function keyOf(text: string): string | { readonly what: string } {
  const bare = text.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(bare)) return bare
  if (!text.includes('@')) return { what: `"${text}" is neither a fingerprint (SHA-256: 64 hexadecimal digits, with or without colons) nor an address` }
  return parseUserName(text)
}
