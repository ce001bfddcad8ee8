/** The format of an entry of `spam.uri_lists`: a list in the DNS of domains, addresses or hashes. Pure; nothing throws. */
import { MAX_URI_ZONE_CHARACTERS, URI_REFUSALS, uriListProblem, type UriListZone } from '../reputation/uri-settings.ts'
import { flag, listOf, oneOf, read, refuse } from './format.ts'
import type { Format, Reading } from './format.ts'
import { Keys } from './format-mapping.ts'
import { points } from './format-policy.ts'
import { listCode, returnCode } from './format-rules.ts'
import { keyProblem, shortText, zoneFormat } from './format-zone.ts'
import { isMapping, showValue } from './source.ts'
import type { Raw } from './source.ts'

const DEFAULT_WEIGHT = 2

const zoneName = zoneFormat('dbl.spamhaus.org', MAX_URI_ZONE_CHARACTERS)

const testPoints: Format<{ readonly listed?: string; readonly unlisted?: string }> = {
  type: 'test points',
  allowed: '{ listed: NAME, unlisted: NAME }',
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, ['listed', 'unlisted'])
    const listed = keys.optional('listed', shortText)
    const unlisted = keys.optional('unlisted', shortText)
    return keys.problems.length > 0 ? { status: 'refused', problems: keys.problems } : read({ ...(listed !== undefined && { listed }), ...(unlisted !== undefined && { unlisted }) })
  },
}

const KEYS = ['zone', 'name', 'kind', 'weight', 'codes', 'test', 'refusals', 'ask', 'addresses', 'ipv6', 'of', 'algorithm', 'encoding']
/** Keys of one kind only. */
const OF_KIND: Readonly<Record<UriListZone['kind'], readonly string[]>> = { domain: ['ask', 'addresses'], address: ['ipv6'], hash: ['ask', 'addresses', 'of', 'algorithm', 'encoding'] }

/** `dbl.spamhaus.org`, or a mapping. */
export const uriList: Format<UriListZone> = {
  type: 'list of domains, addresses or hashes in the DNS',
  allowed: 'dbl.spamhaus.org, or { zone: ZONE, kind: domain | address | hash, weight: POINTS, … }',
  parts: {
    zone: 'The zone of the list.',
    name: 'What stands for the zone in headers and logs. It must be given where the zone has a customer\'s key in it.',
    kind: '`domain`: of names; `address`: of addresses that stand in links instead of names; `hash`: of hashes. `domain` where it is left out. A list that holds names and addresses stands twice.',
    weight: `Points of a listing; ${DEFAULT_WEIGHT} where it is left out.`,
    codes: 'The return codes that count, as in `policy.dnsbl.lists`; without them all of 127.0.0.0/8 do.',
    test: 'What the list always holds, and what it never does: `{ listed: NAME, unlisted: NAME }`. A list counts only while it says so. Left out: `test` and `invalid`, 127.0.0.2 and 127.0.0.1 (RFC 5782 §5); for hashes `listed` must be given.',
    refusals: `Return codes by which it says that it does not serve us; ${URI_REFUSALS.join(' and ')} where it is left out.`,
    ask: 'Kinds `domain` and `hash`: `domain` asks for registered domains, `host` for whole host names, `both` for both; `domain` where it is left out.',
    addresses: 'Kinds `domain` and `hash`: it is asked for the domains of From and Reply-To, too; `false` where it is left out.',
    ipv6: 'Kind `address`: it lists IPv6 addresses, too; `false` where it is left out.',
    of: 'Kind `hash`: what is hashed: `email` (From, Reply-To and links to write to), `url` or `domain`.',
    algorithm: 'Kind `hash`: `md5`, `sha1` or `sha256`.',
    encoding: 'Kind `hash`: `hex` or `base32`.',
  },
  read(raw) {
    const given: Reading<UriListZone> = isMapping(raw) ? readZone(raw) : readName(raw)
    if (given.status === 'refused') return given
    const problem = keyProblem(given.value) ?? uriListProblem(given.value)
    return problem === undefined ? given : refuse(problem)
  },
}

function readName(raw: Raw): Reading<UriListZone> {
  const reading = zoneName.read(raw)
  return reading.status === 'read' ? read({ kind: 'domain', zone: reading.value, weight: DEFAULT_WEIGHT }) : reading
}

function readZone(raw: ReadonlyMap<string, Raw>): Reading<UriListZone> {
  const keys = new Keys(raw, KEYS)
  const kind = keys.optional('kind', oneOf('domain', 'address', 'hash')) ?? 'domain'
  const others = Object.values(OF_KIND).flat().filter((name) => !OF_KIND[kind].includes(name))
  for (const name of new Set(others)) if (raw.has(name)) keys.problems.push({ at: [name], problem: `a list of kind ${kind} has no such key`, allowed: OF_KIND[kind].join(', ') })
  const zone = keys.required('zone', zoneName)
  const common = given({
    name: keys.optional('name', shortText), codes: keys.optional('codes', listOf(listCode, { min: 1, max: 64, type: 'list of return codes' })),
    test: keys.optional('test', testPoints), refusals: keys.optional('refusals', listOf(returnCode, { min: 0, max: 16, type: 'list of return codes' })),
  })
  const weight = keys.optional('weight', points) ?? DEFAULT_WEIGHT
  const names = given({ ask: keys.optional('ask', oneOf('domain', 'host', 'both')), addresses: keys.optional('addresses', flag) })
  const ipv6 = given({ ipv6: keys.optional('ipv6', flag) })
  const hash = kind === 'hash' ? { of: keys.required('of', oneOf('email', 'url', 'domain')), algorithm: keys.required('algorithm', oneOf('md5', 'sha1', 'sha256')), encoding: keys.required('encoding', oneOf('hex', 'base32')) } : undefined
  if (zone === undefined || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
  if (kind === 'domain') return read({ kind, zone, weight, ...common, ...names })
  if (kind === 'address') return read({ kind, zone, weight, ...common, ...ipv6 })
  if (hash?.of === undefined || hash.algorithm === undefined || hash.encoding === undefined) return { status: 'refused', problems: keys.problems }
  return read({ kind, zone, weight, ...common, ...names, of: hash.of, algorithm: hash.algorithm, encoding: hash.encoding })
}

/** Without the keys that were left out. */
function given<T extends Readonly<Record<string, unknown>>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
