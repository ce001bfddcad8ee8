/**
 * Formats of mappings in `policy`: the DNS lists and the exceptions. All
 * problems of a mapping are told at once, each with the key it stands at.
 */
import { readCondition } from '../policy/condition.ts'
import { CHECKS } from '../policy/policy.ts'
import type { CheckName } from '../policy/policy.ts'
import type { WrittenException } from '../policy/written.ts'
import { CODE_ALLOWED, readCode } from '../reputation/dnsbl-codes.ts'
import type { DnsListCode, DnsListZone } from '../reputation/dnsbl.ts'
import { flag, listOf, oneOf, read, refuse, textFormat } from './format.ts'
import type { Format, Reading } from './format.ts'
import { Keys } from './format-mapping.ts'
import { points } from './format-policy.ts'
import { keyProblem, shortText, zoneFormat } from './format-zone.ts'
import { networkMatcher } from './networks.ts'
import { isMapping, showValue } from './source.ts'
import type { Raw } from './source.ts'

const DEFAULT_WEIGHT = 2
/** the labels of an IPv6 address stand before it */
const MAX_ZONE_CHARACTERS = 189

const zoneName = zoneFormat('zen.spamhaus.org', MAX_ZONE_CHARACTERS)

export const returnCode: Format<string> = textFormat({ type: 'return code', allowed: CODE_ALLOWED }, (text) => {
  const reading = readCode(text)
  return reading.status === 'read' ? read(text) : refuse(`${showValue(text)}: ${reading.problem}`)
})

const label: Format<string> = textFormat({ type: 'word', allowed: 'a word of letters, digits, - and _' }, (text) =>
  (/^[A-Za-z0-9_-]{1,40}$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`)))

export const listCode: Format<DnsListCode> = {
  type: 'return code',
  allowed: `${CODE_ALLOWED}; or { code: CODE, weight: POINTS, label: WORD }`,
  read(raw) {
    if (!isMapping(raw)) {
      const reading = returnCode.read(raw)
      return reading.status === 'read' ? read({ code: reading.value }) : reading
    }
    const keys = new Keys(raw, ['code', 'weight', 'label'])
    const value = keys.required('code', returnCode)
    const weight = keys.optional('weight', points)
    const word = keys.optional('label', label)
    if (value === undefined || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
    return read({ code: value, ...(weight === undefined ? {} : { weight }), ...(word === undefined ? {} : { label: word }) })
  },
}

/** `zen.spamhaus.org`, or `{ zone, name, weight, kind, codes, ipv4, ipv6 }`. */
export const dnsList: Format<DnsListZone> = {
  type: 'DNS list',
  allowed: 'zen.spamhaus.org, or { zone: ZONE, name: NAME, weight: POINTS, kind: block, codes: [CODE], ipv4: true, ipv6: true }',
  parts: {
    zone: 'The zone of the list.',
    name: 'What stands for the zone in replies, headers and logs. It must be given where the zone has a customer\'s key in it.',
    weight: `Points of a listing; ${DEFAULT_WEIGHT} where it is left out.`,
    kind: '`block` speaks against the client, `allow` for it; `block` where it is left out.',
    codes: `The return codes that count, each ${CODE_ALLOWED}, or \`{ code, weight, label }\`; without them all of 127.0.0.0/8 do.`,
    ipv4: 'The list has IPv4 addresses; `true` where it is left out.',
    ipv6: 'The list has IPv6 addresses; `true` where it is left out.',
  },
  read(raw) {
    const given = isMapping(raw) ? readList(raw) : readListName(raw)
    if (given.status === 'refused') return given
    const problem = keyProblem(given.value)
    return problem === undefined ? given : refuse(problem)
  },
}

function readListName(raw: Raw): Reading<DnsListZone> {
  const reading = zoneName.read(raw)
  return reading.status === 'read' ? read({ zone: reading.value, kind: 'block', weight: DEFAULT_WEIGHT, ipv6: true }) : reading
}

function readList(raw: ReadonlyMap<string, Raw>): Reading<DnsListZone> {
  const keys = new Keys(raw, ['zone', 'name', 'weight', 'kind', 'codes', 'ipv4', 'ipv6'])
  const zone = keys.required('zone', zoneName)
  const name = keys.optional('name', shortText)
  const weight = keys.optional('weight', points) ?? DEFAULT_WEIGHT
  const kind = keys.optional('kind', oneOf('block', 'allow')) ?? 'block'
  const codes = keys.optional('codes', listOf(listCode, { min: 1, max: 64, type: 'list of return codes' }))
  const ipv4 = keys.optional('ipv4', flag) ?? true
  const ipv6 = keys.optional('ipv6', flag) ?? true
  if (!ipv4 && !ipv6 && keys.problems.length === 0) keys.problems.push({ at: [], problem: 'has neither IPv4 nor IPv6 addresses', allowed: 'one of ipv4 and ipv6' })
  if (zone === undefined || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
  return read({ zone, kind, weight, ipv4, ipv6, ...(name !== undefined && { name }), ...(codes !== undefined && { codes }) })
}

const checkNames: Format<readonly CheckName[]> = listOf(oneOf(...CHECKS), { min: 1, max: CHECKS.length, type: 'list of checks' })

const reason: Format<string> = textFormat({ type: 'text', allowed: '1 to 200 printable characters: who is to be let through, and why' }, (text) =>
  (text.trim() !== '' && text.length <= 200 ? read(text) : refuse(`found ${showValue(text)}`)))

/** `{ checks: [rdns, fcrdns], when: { … }, reason: … }` */
export const exception: Format<WrittenException> = {
  type: 'exception',
  allowed: '{ checks: [rdns, fcrdns], when: { spf: pass, spf_domain: [partner.example] }, reason: WHY }',
  parts: {
    checks: `What is excused: ${CHECKS.join(', ')}.`,
    when: 'Facts that must all hold, each with a value or a list of values; also `all` and `any` with lists of such mappings, and `not` with one. docs/policy.md lists the facts.',
    reason: 'Why; it stands in the log and in `postern why`.',
  },
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, ['checks', 'when', 'reason'])
    const checks = keys.required('checks', checkNames)
    const why = keys.required('reason', reason)
    const given = raw.get('when')
    if (given === undefined) keys.problems.push({ at: [], problem: 'has no when', allowed: 'a mapping of facts' })
    const when = given === undefined ? undefined : readCondition(given, (networks) => networkMatcher(networks))
    if (when?.status === 'malformed') keys.problems.push(...when.problems.map((p) => ({ ...p, at: ['when', ...p.at] })))
    if (checks === undefined || why === undefined || given === undefined || when?.status !== 'ok' || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
    return read({ checks, when: given, reason: why })
  },
}
