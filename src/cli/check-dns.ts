/**
 * What the outside world must know of us, and whether our resolver is fit for
 * DNS lists: the questions that others ask about our mail, asked before they
 * do. Nothing is changed. Nothing throws; each finding says what to do.
 */
import { genericName } from '../auth/generic-name.ts'
import { checkIprev } from '../auth/iprev.ts'
import { checkSpf } from '../auth/spf.ts'
import type { Failure, Resolver } from '../dns/resolver.ts'
import type { DnsListHealth } from '../reputation/dnsbl.ts'
import type { UriListHealth } from '../reputation/uri-lists.ts'
import { parseIpAddress, sameAddress } from '../reputation/reverse-name.ts'
import { checkPublished, describePublished, type PublishedKey } from '../signing/published.ts'
import type { SigningKey } from '../signing/signing-key.ts'

export interface DnsFinding {
  /** temporary: it could not be found out now */
  readonly level: 'ok' | 'warn' | 'fail' | 'temporary'
  /** what it is about: `hostname`, an address, a domain, a list */
  readonly about: string
  readonly text: string
}

export interface DnsCheckInput {
  readonly hostname: string
  readonly domains: readonly string[]
  /** of this machine, those that others could reach; none behind an address translation */
  readonly addresses: readonly string[]
  readonly resolver: Resolver
  /** proves the configured lists */
  readonly lists: () => Promise<readonly DnsListHealth[]>
  /** those for links */
  readonly uriLists?: () => Promise<readonly UriListHealth[]>
  /** keys that mail is signed with; their records are compared with them */
  readonly signingKeys?: readonly SigningKey[]
}

const MAX_DOMAINS = 50
const MAX_KEYS = 500
const MAX_SHOWN = 5

export async function checkDns(given: DnsCheckInput): Promise<readonly DnsFinding[]> {
  // Names come from the DNS in lower case.
  const input = { ...given, hostname: given.hostname.toLowerCase() }
  const { hostname, domains, resolver } = input
  const named = await addressesOf(hostname, resolver)
  if (named.status === 'failed' && named.silent) {
    return [{ level: 'temporary', about: 'resolver', text: `no DNS server answers (${named.cause}): look at dns.servers and at the resolver itself` }]
  }
  const ours = input.addresses.length > 0 ? input.addresses : named.status === 'found' ? named.addresses : []
  return [
    hostnameFinding(input, named),
    ...(await inOrder(ours.slice(0, MAX_SHOWN), (address) => addressFinding(address, hostname, resolver))),
    ...(await inOrder(domains.slice(0, MAX_DOMAINS), (domain) => domainFindings(domain, { hostname, ours, resolver }))).flat(),
    ...(domains.length > MAX_DOMAINS ? [{ level: 'warn', about: 'domains', text: `only the first ${MAX_DOMAINS} of ${domains.length} were looked at` } as const] : []),
    ...(await keyFindings(input.signingKeys ?? [], resolver)),
    ...(await input.lists()).map(listFinding),
    ...(await input.uriLists?.() ?? []).map(uriListFinding),
  ]
}

/** One after the other: a resolver that is asked everything at once by somebody who has time. */
async function inOrder<Q, A>(questions: readonly Q[], ask: (question: Q) => Promise<A>): Promise<A[]> {
  const answers: A[] = []
  for (const question of questions) answers.push(await ask(question))
  return answers
}

function isAmong(address: string, addresses: readonly string[]): boolean {
  const wanted = parseIpAddress(address)
  return addresses.some((one) => sameAddress(parseIpAddress(one), wanted))
}

type Addresses = { readonly status: 'found'; readonly addresses: readonly string[] } | { readonly status: 'failed'; readonly cause: string; readonly silent: boolean }

async function addressesOf(name: string, resolver: Resolver): Promise<Addresses> {
  const [four, six] = await Promise.all([resolver.lookup(name, 'A'), resolver.lookup(name, 'AAAA')])
  const found = [four, six].flatMap((one) => (one.status === 'records' ? one.records : []))
  const failed: Failure | undefined = [four, six].find((one): one is Failure => 'cause' in one)
  if (found.length > 0 || failed === undefined) return { status: 'found', addresses: found }
  return { status: 'failed', cause: failed.cause, silent: failed.status === 'timeout' && failed.serversAnswer !== true }
}

function hostnameFinding({ hostname, addresses }: DnsCheckInput, named: Addresses): DnsFinding {
  if (named.status === 'failed') return { level: 'temporary', about: 'hostname', text: `the addresses of ${hostname} could not be found out: ${named.cause}` }
  if (named.addresses.length === 0) return { level: 'fail', about: 'hostname', text: `${hostname} has no address in the DNS: give it A and AAAA records, or set hostname to a name that has` }
  const shown = named.addresses.slice(0, MAX_SHOWN).join(', ')
  const foreign = addresses.length === 0 ? [] : named.addresses.filter((address) => !isAmong(address, addresses))
  if (foreign.length > 0) {
    return { level: 'warn', about: 'hostname', text: `${hostname} has the address ${foreign.slice(0, MAX_SHOWN).join(', ')}, which is none of this machine's (${addresses.slice(0, MAX_SHOWN).join(', ')}): right behind a translation of addresses, otherwise mail goes astray` }
  }
  return { level: 'ok', about: 'hostname', text: `${hostname} has the address ${shown}` }
}

async function addressFinding(address: string, hostname: string, resolver: Resolver): Promise<DnsFinding> {
  const found = await checkIprev(address, resolver)
  switch (found.status) {
    case 'pass':
      return found.confirmed.includes(hostname)
        ? calledFinding(address, hostname)
        : { level: 'warn', about: address, text: `is called ${found.confirmed[0] ?? ''}; servers compare that with our EHLO, which says ${hostname}: let them be the same` }
    case 'no-ptr':
      return { level: 'fail', about: address, text: `has no name: let its provider set the PTR record to ${hostname}, or other servers refuse mail from it` }
    case 'not-confirmed':
      return { level: 'fail', about: address, text: `${found.cause}: let the PTR record say ${hostname}` }
    case 'temperror':
      return { level: 'temporary', about: address, text: found.cause }
    case 'none':
      return { level: 'warn', about: address, text: found.cause }
  }
}

function calledFinding(address: string, hostname: string): DnsFinding {
  const { generic, why } = genericName([hostname], address)
  return generic
    ? { level: 'warn', about: address, text: `is called ${hostname}, which looks like a name out of a pool (${why}); others score that: a name such as mail.example.org is better` }
    : { level: 'ok', about: address, text: `is called ${hostname}, and that name leads back to it` }
}

interface Ours {
  readonly hostname: string
  readonly ours: readonly string[]
  readonly resolver: Resolver
}

async function domainFindings(domain: string, ground: Ours): Promise<readonly DnsFinding[]> {
  // An address literal has no records.
  if (domain.startsWith('[') || domain === 'localhost') return []
  return [await mxFinding(domain, ground), ...(await spfFindings(domain, ground)), await dmarcFinding(domain, ground.resolver)]
}

async function mxFinding(domain: string, { hostname, ours, resolver }: Ours): Promise<DnsFinding> {
  const about = domain
  const found = await resolver.lookup(domain, 'MX')
  if ('cause' in found) return { level: 'temporary', about, text: `MX could not be found out: ${found.cause}` }
  if (found.status !== 'records') return noMxFinding(domain, { hostname, ours, resolver })
  const exchanges = found.records.toSorted((a, b) => a.preference - b.preference).map(({ exchange }) => exchange)
  if (exchanges.includes('')) return { level: 'fail', about, text: 'has a null MX (RFC 7505): it says that it takes no mail at all' }
  if (exchanges.includes(hostname)) return { level: 'ok', about, text: `MX leads to ${hostname}` }
  const behind = await Promise.all(exchanges.slice(0, MAX_SHOWN).map((exchange) => addressesOf(exchange, resolver)))
  if (behind.some((one) => one.status === 'found' && one.addresses.some((address) => isAmong(address, ours)))) return { level: 'ok', about, text: `MX leads to an address of ours by ${exchanges.slice(0, MAX_SHOWN).join(', ')}` }
  const unknown = behind.find((one) => one.status === 'failed')
  if (unknown !== undefined) return { level: 'temporary', about, text: `where its MX leads could not be found out: ${unknown.cause}` }
  return { level: 'warn', about, text: `MX leads to ${exchanges.slice(0, MAX_SHOWN).join(', ')} and not to ${hostname}: its mail does not come here` }
}

/** RFC 5321 §5.1: without MX the address of the domain itself counts. */
async function noMxFinding(domain: string, { hostname, ours, resolver }: Ours): Promise<DnsFinding> {
  const own = await addressesOf(domain, resolver)
  if (own.status === 'failed') return { level: 'temporary', about: domain, text: `has no MX record, and its address could not be found out: ${own.cause}` }
  return own.addresses.some((address) => isAmong(address, ours))
    ? { level: 'warn', about: domain, text: `has no MX record; its mail comes here by its own address, which not everybody tries: "MX 10 ${hostname}." is better` }
    : { level: 'fail', about: domain, text: `has no MX record: "MX 10 ${hostname}." sends its mail here` }
}

/** One finding where all of our addresses fare alike. */
async function spfFindings(domain: string, ground: Ours): Promise<readonly DnsFinding[]> {
  const findings = await inOrder(ground.ours.slice(0, MAX_SHOWN), (address) => spfFinding(domain, address, ground))
  return findings.filter(({ text }, i) => findings.findIndex((one) => one.text === text) === i)
}

async function spfFinding(domain: string, address: string, { hostname, resolver }: Ours): Promise<DnsFinding> {
  const about = domain
  const found = await checkSpf({ address, helo: hostname, sender: `postmaster@${domain}`, receiver: hostname }, resolver)
  switch (found.status) {
    case 'pass': return { level: 'ok', about, text: `SPF lets ${address} send for it` }
    case 'none': return { level: 'warn', about, text: 'has no SPF record: anybody may send in its name; "v=spf1 mx -all" lets its MX hosts send and nobody else' }
    case 'temperror': return { level: 'temporary', about, text: `SPF could not be found out: ${found.cause ?? ''}` }
    case 'permerror': return { level: 'fail', about, text: `SPF cannot be read: ${found.cause ?? ''}` }
    case 'fail':
    case 'softfail':
    case 'neutral': return { level: 'warn', about, text: `SPF does not let ${address} send for it (${found.status}): right if its mail leaves by another server, otherwise add ${address.includes(':') ? 'ip6' : 'ip4'}:${address}` }
  }
}

async function dmarcFinding(domain: string, resolver: Resolver): Promise<DnsFinding> {
  const name = `_dmarc.${domain}`
  const found = await resolver.lookup(name, 'TXT')
  if ('cause' in found) return { level: 'temporary', about: domain, text: `DMARC could not be found out: ${found.cause}` }
  const records = found.status === 'records' ? found.records.map((strings) => strings.join('')).filter((text) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text)) : []
  if (records.length > 1) return { level: 'fail', about: domain, text: `${name} has ${records.length} DMARC records, so that none counts: leave one` }
  const [record] = records
  // A subdomain may rest on its parent's (RFC 9989 §4.10).
  if (record === undefined) return { level: 'warn', about: domain, text: `${name} has no DMARC record: "v=DMARC1; p=none" is a beginning, unless a domain above has one` }
  const policy = /(?:^|;)\s*p\s*=\s*(none|quarantine|reject)\s*(?:;|$)/i.exec(record)?.[1]?.toLowerCase()
  return policy === undefined
    ? { level: 'fail', about: domain, text: `the DMARC record has no policy that can be read (p=none, quarantine or reject)` }
    : { level: 'ok', about: domain, text: `DMARC says p=${policy}` }
}

async function keyFindings(keys: readonly SigningKey[], resolver: Resolver): Promise<readonly DnsFinding[]> {
  const findings = (await checkPublished(keys.slice(0, MAX_KEYS), resolver)).map(keyFinding)
  return keys.length > MAX_KEYS ? [...findings, { level: 'warn', about: 'signing', text: `only the first ${MAX_KEYS} of ${keys.length} keys were looked at` }] : findings
}

function keyFinding({ key, published }: PublishedKey): DnsFinding {
  return { level: levelOf(published), about: key.domain, text: `DKIM: ${describePublished(key, published)}` }
}

function levelOf(published: PublishedKey['published']): DnsFinding['level'] {
  switch (published.status) {
    case 'matches': return published.testing ? 'warn' : 'ok'
    case 'temperror': return 'temporary'
    case 'mismatch':
    case 'missing':
    case 'revoked':
    case 'unusable': return 'fail'
  }
}

function listFinding(health: DnsListHealth): DnsFinding {
  return provenFinding(health, 'lists 127.0.0.2 and not 127.0.0.1: it is believed')
}

function uriListFinding(health: UriListHealth): DnsFinding {
  return provenFinding(health, 'lists its test point and nothing that it must not: it is believed')
}

function provenFinding(health: DnsListHealth | UriListHealth, healthy: string): DnsFinding {
  switch (health.state) {
    case 'healthy': return { level: 'ok', about: health.zone, text: healthy }
    case 'unproved': return { level: 'temporary', about: health.zone, text: 'could not be proved' }
    case 'set-aside': return { level: health.trouble === 'silent' ? 'temporary' : 'fail', about: health.zone, text: `${health.why}; ${health.advice}` }
  }
}
