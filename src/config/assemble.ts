/**
 * Makes the settings out of a model in which no error was found: paths made
 * absolute, units in their names, the defaults that depend on other values.
 * A value that is missing here is a bug, and throws.
 */
import { resolve } from 'node:path'
import type { WrittenPolicy } from '../policy/written.ts'
import type { Domain } from '../smtp/envelope.ts'
import { assembleDns, assemblePolicy, thresholdsOf, thresholdsOver } from './assemble-policy.ts'
import { assembleRedis, assembleSpam } from './assemble-spam.ts'
import { assembleSigning, assembleSubmission } from './assemble-signing.ts'
import { resolveAddress } from './check-model.ts'
import { normaliseDomain } from './format-names.ts'
import type { ReadableOf, ValuesOf } from './leaf.ts'
import { defaultTls } from './check-hop-logins.ts'
import { lookUpOwner } from './machine.ts'
import type { Machine } from './machine.ts'
import { domainMap } from './model.ts'
import type { HopSection, ListenerSection, Model } from './model.ts'
import { DEFAULT_CLIENTS } from './schema.ts'
import type { LISTENER, LMTP_HOP, MAILDIR_HOP, ROOT, SMTP_HOP } from './schema.ts'
import type { Section } from './section.ts'
import type { DomainSettings, HopSettings, ListenerSettings, ListenerTlsSettings, MaildirSettings, RelaySettings, Settings, SocketAddress } from './settings.ts'
import type { Group } from './leaf.ts'

interface Ground {
  readonly machine: Machine
  readonly base: string
  readonly shadow: WrittenPolicy | undefined
}

/** A section of a model without errors has every value that its type promises. */
function complete<G extends Group>(values: ReadableOf<G>): ValuesOf<G> {
  return values as unknown as ValuesOf<G>
}

export function assemble(model: Model, ground: Ground): Settings {
  const values = complete<typeof ROOT>(model.root.values)
  const { limits, timeouts } = values
  return {
    hostname: values.hostname ?? normaliseDomain(ground.machine.hostname()) ?? 'localhost',
    state: resolve(ground.base, values.state),
    workers: values.workers === 'auto' ? Math.min(64, ground.machine.cores()) : values.workers,
    log: values.log,
    listeners: model.listeners.map((listener) => assembleListener(listener, { ...ground, domains: new Set(domainMap(values.domains).keys()) })),
    hops: new Map(model.hops.map((hop) => [hop.name, assembleHop(hop, ground)])),
    domains: assembleDomains(values, ground.shadow),
    newlines: values.newlines,
    dns: assembleDns(values.dns),
    signing: assembleSigning(values.signing, ground.base),
    spam: assembleSpam(values.spam, { base: ground.base, redis: assembleRedis(values.redis, ground.base) }),
    policy: assemblePolicy(values.policy, { base: ground.base, shadow: ground.shadow }),
    quarantine: { maxAgeMs: values.quarantine.max_age, maxBytes: values.quarantine.max_size },
    decisions: { maxAgeMs: values.decisions.max_age, maxCount: values.decisions.max_count },
    limits: {
      messageBytes: limits.message_bytes,
      commandLineBytes: limits.command_line_bytes,
      recipients: limits.recipients,
      errors: limits.errors,
      unknownCommands: limits.unknown_commands,
      junkCommands: limits.junk_commands,
      sessions: limits.sessions,
      sessionsPerNetwork: limits.sessions_per_network,
      received: limits.received,
    },
    timeouts: {
      commandMs: timeouts.command,
      dataMs: timeouts.data,
      handshakeMs: timeouts.handshake,
      sessionMs: timeouts.session,
      stopMs: timeouts.stop,
    },
  }
}

function assembleDomains({ domains, policy }: ValuesOf<typeof ROOT>, shadow: WrittenPolicy | undefined): ReadonlyMap<Domain, DomainSettings> {
  return new Map([...domainMap(domains)].map(([domain, { next, spam }]) => [domain, {
    next, ...(spam !== undefined && { spam: thresholdsOf(policy, spam), ...(shadow !== undefined && { shadowSpam: thresholdsOver(shadow, spam) }) }),
  }]))
}

function assembleListener(listener: ListenerSection, { base, domains }: Ground & { readonly domains: ReadonlySet<Domain> }): ListenerSettings {
  const values = complete<typeof LISTENER>(listener.values)
  return {
    name: values.name,
    role: values.role,
    protocol: values.protocol,
    listen: values.listen.map((address) => resolveAddress(address, base)),
    tls: assembleListenerTls(values.tls, base),
    trust: values.trust,
    clients: values.role === 'outbound' ? values.clients ?? DEFAULT_CLIENTS : [],
    next: values.next,
    received: values.received,
    hideClient: values.hide_client,
    transparent: values.transparent,
    submission: values.role === 'submission' ? assembleSubmission(values, { base, domains }) : undefined,
  }
}

function assembleListenerTls({ cert, key, mode, more }: ValuesOf<typeof LISTENER>['tls'], base: string): ListenerTlsSettings | undefined {
  if (cert === undefined || key === undefined) return undefined
  return { mode, certificates: [{ cert, key }, ...more].map((pair) => ({ cert: resolve(base, pair.cert), key: resolve(base, pair.key) })) }
}

function assembleHop(hop: HopSection, ground: Ground): HopSettings {
  switch (hop.kind) {
    case 'smtp': return assembleSmtp(hop.name, complete<typeof SMTP_HOP>(hop.section.values), ground.base)
    case 'lmtp': return assembleRelay('lmtp', hop.name, { values: complete<typeof LMTP_HOP>(hop.section.values), addresses: [complete<typeof LMTP_HOP>(hop.section.values).lmtp], base: ground.base })
    case 'maildir': return assembleMaildir(hop.name, hop.section, ground)
  }
}

function assembleSmtp(name: string, values: ValuesOf<typeof SMTP_HOP>, base: string): RelaySettings {
  const { user, password_file: passwordFile } = values
  return {
    ...assembleRelay('smtp', name, { values, addresses: values.smtp, base }),
    login: user === undefined || passwordFile === undefined ? undefined : { user, passwordFile: resolve(base, passwordFile) },
    senderLogins: values.sender_logins.map(({ sender, user: login, passwordFile: file, addresses }) => ({
      sender, user: login, passwordFile: resolve(base, file), ...(addresses === undefined ? {} : { addresses: addresses.map((one) => resolveAddress(one, base)) }),
    })),
  }
}

function assembleRelay(kind: 'smtp' | 'lmtp', name: string, { values, addresses, base }: { values: ValuesOf<typeof SMTP_HOP> | ValuesOf<typeof LMTP_HOP>; addresses: readonly SocketAddress[]; base: string }): RelaySettings {
  const { timeouts } = values
  const tls = values.tls ?? defaultTls(values, addresses)
  const [address, another] = addresses.map((one) => resolveAddress(one, base))
  if (address === undefined) throw new Error(`hop ${name} has no address`)
  return {
    kind,
    name,
    address,
    ...(another === undefined ? {} : { addresses: addresses.map((one) => resolveAddress(one, base)) }),
    tls: {
      mode: tls,
      verify: (tls === 'required' || tls === 'implicit') && (values.tls_verify ?? true),
      name: values.tls_name,
      ca: values.tls_ca === undefined ? undefined : resolve(base, values.tls_ca),
    },
    xforward: values.xforward,
    xclient: values.xclient,
    connections: values.connections,
    idleMs: values.idle,
    maxAgeMs: values.max_age,
    timeouts: {
      connectMs: timeouts.connect,
      greetingMs: timeouts.greeting,
      mailMs: timeouts.mail,
      rcptMs: timeouts.rcpt,
      dataMs: timeouts.data,
      blockMs: timeouts.block,
      finalMs: timeouts.final,
    },
  }
}

function assembleMaildir(name: string, section: Section<typeof MAILDIR_HOP>, { machine, base }: Ground): MaildirSettings {
  const values = complete<typeof MAILDIR_HOP>(section.values)
  const owner = values.owner === undefined ? undefined : lookUpOwner(values.owner, machine)
  if (owner?.status === 'unknown') throw new Error(`the owner of hop ${name} was found a moment ago: ${owner.problem}`)
  return {
    kind: 'maildir',
    name,
    path: resolve(base, values.maildir),
    users: values.users === undefined ? undefined : resolve(base, values.users),
    aliases: values.aliases === undefined ? undefined : resolve(base, values.aliases),
    suffix: values.suffix,
    catchAll: values.catch_all?.text,
    uid: owner?.ids.uid,
    gid: owner?.ids.gid,
    mode: values.mode,
  }
}
