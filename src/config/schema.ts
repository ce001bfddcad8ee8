/**
 * Every key of the configuration: meaning, format, default. What is not here
 * does not exist; a key that would do nothing is not accepted. Defaults are
 * written as in the file. `docs/configuration.md` is generated from this.
 */
import { duration, flag, integer, listOf, oneOf, size, workerCount } from './format.ts'
import {
  certificatePair, domainName, fileMode, filePath, hopAddress, listenAddress, mailbox, mailboxPath, owner, reference,
  suffixCharacters,
} from './format-names.ts'
import { domainItem } from './format-domain.ts'
import { key, optional, required } from './leaf.ts'
import type { Group } from './leaf.ts'
import { trustedNetwork } from './networks.ts'
import { DNS, KEPT, POLICY } from './policy-schema.ts'
import { loginName, senderLogin } from './format-signing.ts'
import { REDIS } from './redis-schema.ts'
import { SPAM } from './spam-schema.ts'
import { SIGNING, SUBMISSION } from './signing-schema.ts'

export const MAX_LISTENERS = 64
export const MAX_HOPS = 256
const MAX_LISTED_NETWORKS = 256
const MAX_DOMAINS = 10_000

const networks = listOf(trustedNetwork, { min: 0, max: MAX_LISTED_NETWORKS, type: 'list of networks' })

export const ROOT = {
  hostname: optional(domainName, {
    doc: 'The name in the greeting, in EHLO and in `Received`. For a server that others reach it is the name that its PTR record gives.',
    defaultText: "the machine's name",
  }),
  state: key(filePath, {
    doc: 'The directory of the embedded database, the quarantine and the temporary files of large messages. It is made if it is not there.',
    default: '/var/lib/postern',
  }),
  workers: key(workerCount, {
    doc: 'Worker processes that share the listening sockets. `auto` is one for each core; `0` keeps everything in one process, without a supervisor.',
    default: 'auto',
  }),
  log: {
    level: key(oneOf('debug', 'info', 'warn', 'error'), { doc: 'The least grave lines that are logged.', default: 'info' }),
    format: key(oneOf('auto', 'json', 'readable'), {
      doc: 'One JSON object a line, or text for people. `auto` is readable on a terminal and JSON everywhere else.', default: 'auto',
    }),
  },
  domains: key(listOf(domainItem, { min: 0, max: MAX_DOMAINS, type: 'list of domains' }), {
    doc: 'The domains that inbound listeners accept mail for; a recipient in any other is refused with 550 5.7.1. '
      + 'An entry is a name, or `{ domain: NAME, next: HOP, spam: { tag: POINTS } }` for a domain that goes to a hop of its own, or has thresholds of its own. '
      + 'Names outside ASCII may be written as they are. Subdomains are not included.',
    default: '', defaultText: 'none',
  }),
  newlines: key(oneOf('normalise', 'refuse'), {
    doc: 'What becomes of a CR or LF that stands alone in a message (only CRLF ends a line, RFC 5321 §2.3.8): '
      + '`normalise` makes it CRLF, `refuse` answers 550 5.6.11 once the whole message was read.',
    default: 'normalise',
  }),
  dns: DNS,
  policy: POLICY,
  spam: SPAM,
  redis: REDIS,
  signing: SIGNING,
  ...KEPT,
  limits: {
    message_bytes: key(size({ min: '1KiB', max: '10GB' }), {
      doc: 'The largest message, offered as SIZE (RFC 1870) and held to at the end of DATA. RFC 5321 §4.5.3.1.7 asks for at least 64 KiB.',
      default: '50MB',
    }),
    command_line_bytes: key(size({ min: '1024', max: '64KiB' }), {
      doc: 'The longest command line, with its CRLF. RFC 5321 §4.5.3.1.4 has 512, and extensions add to it: ORCPT and NOTIFY some 530 (RFC 3461), '
        + 'AUTH= 500 (RFC 4954), ENVID 100, SIZE, BODY and SMTPUTF8 some 50, so that a lawful line may have about 1700. '
        + 'The default is twice the 2048 that common servers take, so that no client that they serve is refused here.',
      default: '4096',
    }),
    recipients: key(integer({ min: 1, max: 100_000, unit: 'recipients' }), {
      doc: 'Recipients of one transaction; further ones get 452 4.5.3. RFC 5321 §4.5.3.1.8 asks for at least 100.', default: '1000',
    }),
    errors: key(integer({ min: 1, max: 10_000, unit: 'replies' }), {
      doc: 'Error replies to one session, after which it ends with 421.', default: '20',
    }),
    unknown_commands: key(integer({ min: 1, max: 10_000, unit: 'commands' }), {
      doc: 'Unknown commands of one session, after which it ends with 421.', default: '10',
    }),
    junk_commands: key(integer({ min: 1, max: 100_000, unit: 'commands' }), {
      doc: 'Commands of one session that lead to no message (HELO, EHLO, MAIL, RSET, NOOP, VRFY and the like), counted since the last message that got through, after which it ends with 421.',
      default: '100',
    }),
    sessions: key(integer({ min: 1, max: 100_000, unit: 'sessions' }), {
      doc: 'Sessions at once, for each worker. Further clients get 421.', default: '1000',
    }),
    sessions_per_network: key(integer({ min: 1, max: 100_000, unit: 'sessions' }), {
      doc: 'Sessions at once from one network (/24 of IPv4, /64 of IPv6), for each worker. Loopback and unix clients are not counted.', default: '50',
    }),
    received: key(integer({ min: 1, max: 1000, unit: 'fields' }), {
      doc: '`Received` fields of a message; one with more is in a loop and gets 554 5.4.6 (RFC 5321 §6.3).', default: '50',
    }),
  },
  timeouts: {
    command: key(duration({ min: '1ms', max: '1h' }), { doc: "The wait for the client's next command (RFC 5321 §4.5.3.2.7: at least 5 minutes).", default: '5m' }),
    data: key(duration({ min: '1ms', max: '1h' }), { doc: "The wait for the next bytes of the client's message (RFC 5321 §4.5.3.2.5: 3 minutes).", default: '3m' }),
    handshake: key(duration({ min: '1ms', max: '10m' }), { doc: 'The wait for a PROXY header, and for the end of a TLS handshake.', default: '30s' }),
    session: key(duration({ min: '1ms', max: '7d' }), {
      doc: 'A session in all. It bounds a client that sends a byte now and then; 50 MB arrive in an hour at 14 kB/s.', default: '1h',
    }),
    stop: key(duration({ min: '1ms', max: '1h' }), { doc: 'After SIGTERM, how long sessions may still run before they are closed with 421.', default: '30s' }),
  },
} satisfies Group

/** Lists of mappings that a variable could not write. */
export const WITHOUT_VARIABLE: readonly string[] = ['policy.exceptions', 'signing.keys', 'spam.bayes.learn', 'spam.engines']

const PEERS = 'An address, a network in CIDR notation, or `unix` for peers on a unix socket.'

export const LISTENER = {
  name: required(reference, { doc: 'Its name in the log and in the names of environment variables.' }),
  role: required(oneOf('inbound', 'outbound', 'submission'), {
    doc: '`inbound` takes mail for `domains` from anybody. `outbound` takes mail to anybody from its `clients` only. `submission` takes mail to anybody from users who log in (RFC 6409).',
  }),
  protocol: key(oneOf('smtp', 'lmtp'), { doc: 'What clients speak. LMTP (RFC 2033) is not for port 25.', default: 'smtp' }),
  listen: required(listOf(listenAddress, { min: 1, max: 64, type: 'address, or list of addresses' }), {
    doc: 'Where it listens. `0.0.0.0` is every IPv4 address and `[::]` every IPv6 address, each without the other. '
      + 'A `unix:` path may be relative to the configuration file. Port 0 is a free port that the system chooses.',
  }),
  tls: {
    cert: optional(filePath, { doc: "PEM file of the certificate and its chain, the server's own first. TLS is offered only where it is set.", defaultText: 'no TLS' }),
    key: optional(filePath, { doc: 'PEM file of the private key, without a passphrase. A warning is given where every user can read it.' }),
    mode: key(oneOf('starttls', 'implicit', 'required'), {
      doc: '`starttls` offers TLS (RFC 3207), `required` refuses mail without it, `implicit` begins with the handshake (RFC 8314). '
        + 'RFC 3207 §4 forbids `required` on a public port 25.',
      default: 'starttls',
    }),
    more: key(listOf(certificatePair, { min: 0, max: 256, type: 'list of certificates' }), {
      doc: 'Further certificates `{ cert: PATH, key: PATH }`, chosen by the name that the client asks for (SNI). The first one above is the default. '
        + 'A list cannot be set by the environment.',
      default: '', defaultText: 'none',
    }),
  },
  trust: {
    proxy: key(networks, { doc: `Peers that begin with a PROXY header, version 1 or 2. They are believed about the client's address. ${PEERS}`, default: '', defaultText: 'none' }),
    xclient: key(networks, { doc: `Peers that may use XCLIENT. They are believed about the client's address, name and login. ${PEERS}`, default: '', defaultText: 'none' }),
    xforward: key(networks, { doc: `Peers that may use XFORWARD. What they say of where a message came from goes on to a hop with xforward: true, for its log; no access rule believes it. ${PEERS}`, default: '', defaultText: 'none' }),
  },
  clients: optional(networks, {
    doc: `Outbound only: who may send through it, to any recipient. ${PEERS} At most 256 entries; public networks no wider than /16 (IPv4) or /32 (IPv6), `
      + 'and a network that stands for IPv4 in translation (mapped, NAT64, SIIT, Teredo) no wider than its /16.',
    defaultText: '`127.0.0.0/8, ::1, unix` (outbound)',
  }),
  next: required(reference, { doc: 'The hop that mail goes to, a key of `hops`. A domain may name another.' }),
  received: key(flag, { doc: 'Add a `Received` field on top of each message (RFC 5321 §4.4).', default: 'true' }),
  ...SUBMISSION,
} satisfies Group

export const DEFAULT_CLIENTS: readonly string[] = ['127.0.0.0/8', '::1', 'unix']

const wait = (doc: string, value: string): ReturnType<typeof key<number>> => key(duration({ min: '1ms', max: '1h' }), { doc, default: value })

/** What SMTP and LMTP hops have in common. */
const RELAY = {
  tls: optional(oneOf('off', 'opportunistic', 'required', 'implicit'), {
    doc: '`opportunistic` uses STARTTLS where it is offered, without looking at the certificate, and goes on in clear where it fails. '
      + '`required` and `implicit` (TLS from the first byte) check the certificate, and mail waits (4xx) where it cannot be sent so. '
      + 'It holds for all hosts of the hop, those of `sender_logins` too: one of them elsewhere is enough for `required` where we log in, also to those on this machine.',
    defaultText: '`off` where all hosts are loopback addresses and unix sockets; otherwise `required` where we log in, and `opportunistic` where not',
  }),
  tls_verify: optional(flag, { doc: 'Check the certificate. Only with `tls: required` or `implicit`.', defaultText: '`true`' }),
  tls_name: optional(domainName, { doc: "The name that the certificate must have, if it is not the hop's host. Only with `tls: required` or `implicit`.", defaultText: 'the host' }),
  tls_ca: optional(filePath, { doc: 'PEM file of the authorities that are accepted. Only with `tls: required` or `implicit`.', defaultText: "the system's" }),
  xforward: key(flag, { doc: 'Tell the hop about the client by XFORWARD, where it offers that. It must trust us for it.', default: 'false' }),
  xclient: key(flag, {
    doc: 'Speak as the client by XCLIENT: then its own rules see the real client, not us. It must offer XCLIENT to us (Postfix: `smtpd_authorized_xclient_hosts`); '
      + 'where it does not, mail gets 451, since the hop would take every client for us.',
    default: 'false',
  }),
  connections: key(integer({ min: 1, max: 10_000, unit: 'connections' }), { doc: 'Connections at once, for each worker.', default: '100' }),
  idle: key(duration({ min: '1ms', max: '1h' }), {
    doc: 'An unused connection is closed after this. It lies well under the 5 minutes after which servers close (RFC 5321 §4.5.3.2.7), '
      + 'so that a connection is not lost just as it is used again, and places at the hop are not held for nothing.',
    default: '30s',
  }),
  max_age: key(duration({ min: '1ms', max: '1d' }), {
    doc: 'A connection takes no new transaction after this, so that a change of the hop (address, certificate, balance) is followed.', default: '5m',
  }),
  timeouts: {
    connect: wait('The wait for the connection.', '30s'),
    greeting: wait('The wait for the greeting and for EHLO (RFC 5321 §4.5.3.2.1), and for a TLS handshake.', '5m'),
    mail: wait('The wait for the reply to MAIL (§4.5.3.2.2).', '5m'),
    rcpt: wait('The wait for the reply to RCPT (§4.5.3.2.3).', '5m'),
    data: wait('The wait for the reply to DATA (§4.5.3.2.4).', '2m'),
    block: wait('The wait for the hop to take the next bytes of a message (§4.5.3.2.5).', '3m'),
    final: wait('The wait for the reply after the message (§4.5.3.2.6).', '10m'),
  },
} satisfies Group

export const SMTP_HOP = {
  smtp: required(listOf(hopAddress, { min: 1, max: 16, type: 'address, or list of addresses' }), { doc: 'The address of an SMTP server; of several, the first that can be reached is used.' }),
  user: optional(loginName, { doc: 'Who we are to the hop (AUTH, RFC 4954), with `password_file`. It goes over verified TLS only, or to this machine.', defaultText: 'nobody: no AUTH' }),
  password_file: optional(filePath, { doc: 'The file of the password: its first line. Nobody else may be able to read it.' }),
  sender_logins: key(listOf(senderLogin, { min: 0, max: 1000, type: 'list of sender logins' }), {
    doc: 'Other credentials for mail of some senders, by the reverse-path.', default: '', defaultText: 'none',
  }),
  ...RELAY,
} satisfies Group

export const LMTP_HOP = {
  lmtp: required(hopAddress, { doc: 'The address of an LMTP server (RFC 2033), such as `unix:/run/dovecot/lmtp`.' }),
  ...RELAY,
} satisfies Group

export const MAILDIR_HOP = {
  maildir: required(mailboxPath, {
    doc: "The Maildir of a recipient; `{domain}`, `{local}` and `{user}` stand for the recipient's domain, local part without suffix, and user.",
  }),
  users: optional(filePath, {
    doc: 'The users file. A recipient that is not in it gets 550 5.1.1. Without it, every local part of the accepted domains is a user.', defaultText: 'everybody is a user',
  }),
  aliases: optional(filePath, { doc: 'The aliases file: `name: target, target`.', defaultText: 'none' }),
  suffix: key(suffixCharacters, { doc: 'Characters that begin a suffix of the local part: with `+-`, `anna+shop` and `anna-shop` go to `anna`.', default: '+' }),
  catch_all: optional(mailbox, { doc: 'The mailbox that takes mail for unknown users. Where it has a domain, that is one of `domains`.', defaultText: 'none: they are refused' }),
  owner: optional(owner, {
    doc: 'Who owns the Maildirs: `user`, `user:group`, or numbers `uid:gid`. Names are looked up in `/etc/passwd` and `/etc/group`; '
      + "without a group it is the user's own. Only root can give files to another user.",
    defaultText: 'who runs Postern',
  }),
  mode: key(fileMode, { doc: 'The mode of message files, in octal. Directories get the execute bits that go with it.', default: '0600' }),
} satisfies Group

export const HOP_WITHOUT_VARIABLE: readonly string[] = ['sender_logins']
export const HOP_KINDS = { smtp: SMTP_HOP, lmtp: LMTP_HOP, maildir: MAILDIR_HOP } as const
export type HopKind = keyof typeof HOP_KINDS
