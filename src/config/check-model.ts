/**
 * Checks a configuration as a whole: references, addresses, roles, files, and
 * that no accepted configuration is an open relay. Every problem goes to the
 * collector; what could not be read is passed over, its error stands already.
 */
import { resolve } from 'node:path'
import { checkPolicy } from './check-policy.ts'
import type { CheckContext } from './check-context.ts'
import { checkHopLogins, defaultTls } from './check-hop-logins.ts'
import { checkSigning } from './check-signing.ts'
import { checkRedis } from './check-redis.ts'
import { checkSpam } from './check-spam.ts'
import { checkSubmission } from './check-submission.ts'
import { checkAuthorities, checkCertificate, checkDirectory, checkReadable } from './check-files.ts'
import { formatAddress, normaliseDomain, unixPathProblem } from './format-names.ts'
import { collide, isWildcard, leadsTo } from './loops.ts'
import type { Self } from './loops.ts'
import { lookUpOwner } from './machine.ts'
import type { ListenerSection, Model } from './model.ts'
import { suggestion } from './nearest.ts'
import { MAX_PUBLIC_ADDRESSES, publicAddresses } from './networks.ts'
import type { KeyPath } from './problem.ts'
import type { Collector, Section } from './section.ts'
import type { LMTP_HOP, MAILDIR_HOP, SMTP_HOP } from './schema.ts'
import type { SocketAddress } from './settings.ts'

/** Unix paths made absolute, everything else as it is. */
export function resolveAddress(address: SocketAddress, base: string): SocketAddress {
  return address.kind === 'unix' ? { kind: 'unix', path: resolve(base, address.path) } : address
}

export function checkModel(model: Model, context: CheckContext): void {
  const { collector, base } = context
  checkRoot(model, context)
  if (context.purpose === 'delivery') return checkDelivery(model, context)
  checkDomains(model, collector)
  for (const listener of model.listeners) checkListener(listener, model, context)
  checkListenersTogether(model, context)
  for (const hop of model.hops) {
    if (hop.kind === 'maildir') checkMaildir(hop.section, model, context)
    else checkRelay(hop.section, { kind: hop.kind, self: selfOf(model, context), listeners: model.listeners, context })
  }
  checkPolicy(model, context)
  checkSigning(model, context)
  checkSpam(model, context)
  checkRedis(model, context)
  warnOfUnusedHops(model, collector)
  const state = model.root.values.state
  if (state !== undefined) checkDirectory(resolve(base, state), ['state'], context)
}

/** All that `postern deliver` uses of a configuration. */
function checkDelivery(model: Model, context: CheckContext): void {
  if (model.root.values.domains?.length === 0) context.collector.error(['domains'], 'no domains: nothing could be delivered', 'the domains of the mailboxes')
  for (const hop of model.hops) if (hop.kind === 'maildir') checkMaildir(hop.section, model, context)
}

function checkRoot(model: Model, { collector, machine }: CheckContext): void {
  if (!model.root.isGiven('hostname') && normaliseDomain(machine.hostname()) === undefined) {
    collector.warn(['hostname'], `the machine's name "${machine.hostname()}" is not a domain name; "localhost" is used until hostname is set`)
  }
  const { message_bytes: messageBytes, recipients } = model.root.values.limits
  if (messageBytes !== undefined && messageBytes < 65_536) collector.warn(['limits', 'message_bytes'], 'RFC 5321 §4.5.3.1.7 asks for at least 64KiB')
  if (recipients !== undefined && recipients < 100) collector.warn(['limits', 'recipients'], 'RFC 5321 §4.5.3.1.8 asks for at least 100')
}

/** `next` and the like: a name under `hops`. */
function checkReference(name: string | undefined, key: KeyPath, { model, collector }: { model: Model; collector: Collector }): void {
  if (name === undefined || model.hopNames.has(name)) return
  const names = Array.from(model.hopNames)
  collector.error(key, `there is no hop "${name}"${suggestion(name, names)}`, names.length === 0 ? 'a key of hops' : names.join(', '))
}

function checkDomains(model: Model, collector: Collector): void {
  const domains = model.root.values.domains ?? []
  const seen = new Set<string>()
  for (const [i, { domain, next }] of domains.entries()) {
    if (seen.has(domain)) collector.error(['domains', i], `the domain ${domain} stands twice`, 'each domain once')
    seen.add(domain)
    checkReference(next, ['domains', i, 'next'], { model, collector })
  }
  const inbound = model.listeners.some(({ values }) => values.role === 'inbound')
  const unreadable = model.root.values.domains === undefined
  if (inbound && domains.length === 0 && !unreadable) {
    collector.error(['domains'], 'no domains, and a listener whose role is inbound: it could accept nothing', 'the domains that mail is accepted for')
  }
  const used = model.listeners.some(({ values: { role } }) => role === 'inbound' || role === 'submission' || role === undefined)
  if (!used && domains.length > 0) {
    collector.warn(['domains'], 'all listeners have the role outbound, so that nothing uses the domains')
  }
}

function checkListener(listener: ListenerSection, model: Model, context: CheckContext): void {
  const { values, at } = listener
  const { collector } = context
  checkReference(values.next, [...at, 'next'], { model, collector })
  checkListenerTls(listener, context)
  const ports = (values.listen ?? []).filter((address) => address.kind === 'tcp').map(({ port }) => port)
  if (values.protocol === 'lmtp' && ports.includes(25)) collector.error([...at, 'protocol'], 'LMTP must not be on port 25 (RFC 2033 §5)', 'another port, or smtp')
  if (values.role !== undefined && values.role !== 'outbound' && listener.isGiven('clients')) {
    const who = values.role === 'inbound' ? 'inbound takes mail for its domains from anybody' : 'submission takes mail from users who log in'
    collector.error([...at, 'clients'], `the key is for listeners whose role is outbound; ${who}`, 'leave it out')
  }
  if (values.role === 'outbound' && values.clients?.length === 0) {
    collector.error([...at, 'clients'], 'an empty list: nobody could use the listener', 'the networks of its clients')
  }
  const next = model.hops.find(({ name }) => name === values.next)
  checkSubmission(listener, next, context)
  if ((values.role === 'outbound' || values.role === 'submission') && next?.kind === 'maildir') {
    collector.warn([...at, 'next'], `mail to any domain goes into the Maildirs of hop "${next.name}" and no further`)
  }
}

function checkListenerTls({ values, at, isGiven }: ListenerSection, context: CheckContext): void {
  const { cert, key, more } = values.tls
  const { collector, base } = context
  if (!['tls.cert', 'tls.key', 'tls.mode', 'tls.more'].some(isGiven)) return
  for (const name of ['cert', 'key'] as const) {
    if (!isGiven(`tls.${name}`)) collector.error([...at, 'tls'], `tls has no ${name}`, 'cert and key, the paths of PEM files')
  }
  if (cert !== undefined && key !== undefined) {
    checkCertificate({ cert: resolve(base, cert), key: resolve(base, key) }, { cert: [...at, 'tls', 'cert'], key: [...at, 'tls', 'key'] }, context)
  }
  for (const [i, pair] of (more ?? []).entries()) {
    const place = [...at, 'tls', 'more', i]
    checkCertificate({ cert: resolve(base, pair.cert), key: resolve(base, pair.key) }, { cert: [...place, 'cert'], key: [...place, 'key'] }, context)
  }
}

interface Bound {
  readonly address: SocketAddress
  readonly key: KeyPath
}

/** The addresses of a listener, each with the key to name in an error. */
function boundAddresses({ values, at }: ListenerSection, base: string): readonly Bound[] {
  return (values.listen ?? []).map((address, i) => ({ address: resolveAddress(address, base), key: [...at, 'listen', i] }))
}

function checkListenersTogether(model: Model, { collector, base }: CheckContext): void {
  const names = new Set<string>()
  const bound: Bound[] = []
  for (const listener of model.listeners) {
    const { name } = listener.values
    if (name !== undefined && names.has(name)) collector.error([...listener.at, 'name'], `another listener has the name "${name}"`, 'a name of its own')
    if (name !== undefined) names.add(name)
    for (const one of boundAddresses(listener, base)) {
      const other = bound.find(({ address }) => collide(address, one.address))
      if (other !== undefined) {
        collector.error(one.key, `${formatAddress(one.address)} cannot be bound beside ${formatAddress(other.address)}, which is listened on already`, 'an address of its own')
      }
      const problem = one.address.kind === 'unix' ? unixPathProblem(one.address.path) : undefined
      if (problem !== undefined) collector.error(one.key, problem, 'a shorter path')
      bound.push(one)
    }
  }
  checkStrangers(model, collector)
}

/** Many narrow networks are as good as a wide one, so all lists of outbound listeners are also summed up. */
function checkStrangers(model: Model, collector: Collector): void {
  const outbound = model.listeners.filter(({ values }) => values.role === 'outbound')
  const entries = outbound.flatMap(({ values: { clients, trust } }) => [
    ...(clients ?? []), ...(trust.proxy ?? []), ...(trust.xclient ?? []), ...(trust.xforward ?? []),
  ])
  for (const family of [4, 6] as const) {
    if (publicAddresses(entries, family) <= MAX_PUBLIC_ADDRESSES[family]) continue
    collector.error(['listeners'], `the public IPv${family} networks that outbound listeners serve or trust are together wider than a /${family === 4 ? 8 : 24}`,
      'fewer or narrower public networks')
  }
}

function selfOf(model: Model, { machine }: CheckContext): Self {
  const names = [model.root.values.hostname, normaliseDomain(machine.hostname())].filter((name) => name !== undefined)
  return { addresses: machine.addresses(), names }
}

type RelaySection = Section<typeof SMTP_HOP> | Section<typeof LMTP_HOP>

interface RelayContext {
  readonly kind: 'smtp' | 'lmtp'
  readonly self: Self
  readonly listeners: readonly ListenerSection[]
  readonly context: CheckContext
}

function checkRelay(section: RelaySection, relay: RelayContext): void {
  const given = 'smtp' in section.values ? section.values.smtp : section.values.lmtp === undefined ? undefined : [section.values.lmtp]
  const addresses = given?.map((address) => resolveAddress(address, relay.context.base))
  checkRelayTls(section, addresses, relay.context)
  if ('smtp' in section.values) checkHopLogins(section as Section<typeof SMTP_HOP>, addresses, relay.context)
  for (const [i, address] of (addresses ?? []).entries()) checkRelayAddress(address, [...section.at, relay.kind, ...((addresses ?? []).length > 1 ? [i] : [])], relay)
  const others = 'sender_logins' in section.values ? section.values.sender_logins ?? [] : []
  for (const [i, { addresses: own }] of others.entries()) {
    for (const address of own ?? []) checkRelayAddress(resolveAddress(address, relay.context.base), [...section.at, 'sender_logins', i, 'smtp'], relay)
  }
}

function checkRelayAddress(address: SocketAddress, key: KeyPath, { kind, self, listeners, context }: RelayContext): void {
  const { collector, base } = context
  if (address.kind === 'unix') {
    const problem = unixPathProblem(address.path)
    if (problem !== undefined) collector.error(key, problem, 'a shorter path')
  } else if (isWildcard(address.host)) {
    collector.error(key, `${formatAddress(address)} is no address to connect to`, "the hop's own address")
  } else if (kind === 'lmtp' && address.port === 25) collector.error(key, 'LMTP must not be on port 25 (RFC 2033 §5)', 'another port, or smtp')
  for (const listener of listeners) {
    if (boundAddresses(listener, base).some((bound) => leadsTo(address, bound.address, self))) {
      collector.error(key, `${formatAddress(address)} is our own listener "${listener.values.name ?? '?'}": mail would go round in a loop`, 'the address of another server')
    }
  }
}

/** A key that would do nothing is not accepted. */
function checkRelayTls(section: RelaySection, addresses: readonly SocketAddress[] | undefined, context: CheckContext): void {
  const { values, at, isGiven } = section
  const { collector, base } = context
  const tls = values.tls ?? (addresses === undefined || isGiven('tls') ? undefined : defaultTls(values, addresses))
  if (tls === undefined) return
  const verified = tls === 'required' || tls === 'implicit'
  for (const name of ['tls_verify', 'tls_name', 'tls_ca'] as const) {
    if (isGiven(name) && !verified) collector.error([...at, name], `does nothing with tls: ${tls}`, 'tls: required or tls: implicit beside it')
  }
  if (!verified) return
  if (values.tls_verify === false) {
    collector.warn([...at, 'tls_verify'], 'the certificate is not checked, so that TLS keeps nobody out who can stand in between')
    if (isGiven('tls_ca')) collector.error([...at, 'tls_ca'], 'does nothing with tls_verify: false', 'leave one of them out')
  } else if (addresses?.some(({ kind }) => kind === 'unix') === true && !isGiven('tls_name')) {
    collector.error([...at, 'tls'], 'a unix socket has no name that a certificate could have', 'tls_name beside it, or tls: off')
  }
  if (values.tls_ca !== undefined) checkAuthorities(resolve(base, values.tls_ca), [...at, 'tls_ca'], context)
}

function checkMaildir(section: Section<typeof MAILDIR_HOP>, model: Model, context: CheckContext): void {
  const { values, at } = section
  const { collector, machine, base } = context
  for (const name of ['users', 'aliases'] as const) {
    const path = values[name]
    if (path !== undefined) checkReadable(resolve(base, path), [...at, name], context)
  }
  const domain = values.catch_all?.domain
  const domains = model.root.values.domains
  if (domain !== undefined && domains !== undefined && !domains.some((one) => one.domain === domain)) {
    collector.error([...at, 'catch_all'], `the domain ${domain} is not one of domains${suggestion(domain, domains.map((one) => one.domain))}`, 'a mailbox of ours')
  }
  if (values.maildir !== undefined && !/\{(?:local|user)\}/.test(values.maildir)) {
    collector.warn([...at, 'maildir'], 'the path has neither {local} nor {user}, so that all recipients share one Maildir')
  }
  if (values.mode !== undefined && (values.mode & 0o006) !== 0) collector.warn([...at, 'mode'], "every user of the machine can read the users' mail")
  if (values.owner !== undefined) {
    const owner = lookUpOwner(values.owner, machine)
    const uid = machine.uid()
    if (owner.status === 'unknown') collector.error([...at, 'owner'], owner.problem, 'user, user:group or uid:gid')
    else if (uid !== 0 && uid !== owner.ids.uid) collector.warn([...at, 'owner'], `only root can give files to another user, and this process has uid ${uid ?? 'unknown'}`)
  }
}

function warnOfUnusedHops(model: Model, collector: Collector): void {
  const used = new Set([...model.listeners.map(({ values }) => values.next), ...(model.root.values.domains ?? []).map(({ next }) => next)])
  for (const hop of model.hops) if (!used.has(hop.name)) collector.warn(['hops', hop.name], 'nothing uses the hop')
}
