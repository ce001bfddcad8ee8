/**
 * The keys of `dns`, `policy`, `quarantine` and `decisions`: how the DNS is
 * asked, what is made of what is found out about a message, and what is kept.
 * A part of `schema.ts`, which says how to read it.
 */
import { ALLOWED_ACTIONS, PRESETS } from '../policy/policy.ts'
import type { Action, CheckName } from '../policy/policy.ts'
import type { RateLimit } from '../reputation/rates.ts'
import { dnsServer, domainSuffix, plainNetwork, points, pointsOrNever, rate, subjectPrefix } from './format-policy.ts'
import { dnsList, exception } from './format-rules.ts'
import { duration, integer, listOf, oneOf, size } from './format.ts'
import { filePath } from './format-names.ts'
import { key, optional } from './leaf.ts'
import type { Group, Leaf } from './leaf.ts'

const MAX_NETWORKS = 1000

export const DNS = {
  servers: optional(listOf(dnsServer, { min: 1, max: 8, type: 'list of addresses' }), {
    doc: 'The resolvers to ask, each an address or `address:port`. Block lists answer your own resolver (unbound, knot-resolver, BIND), and seldom a public one.',
    defaultText: "the system's, from `/etc/resolv.conf`",
  }),
  timeout: optional(duration({ min: '50ms', max: '30s' }), { doc: 'The wait for one answer of one server.', defaultText: "the system's, otherwise 5s" }),
  tries: optional(integer({ min: 1, max: 5, unit: 'rounds' }), { doc: 'How often all servers are asked before a question counts as unanswered.', defaultText: "the system's, otherwise 2" }),
  cache: key(integer({ min: 0, max: 1_000_000, unit: 'answers' }), { doc: 'Answers that each worker keeps for their time to live.', default: '20000' }),
} satisfies Group

function action(check: CheckName, doc: string): Leaf<Action | undefined> {
  return optional(oneOf(...ALLOWED_ACTIONS[check]), { doc, defaultText: 'as the preset says' })
}

const weight = (doc: string): Leaf<number | undefined> => optional(points, { doc, defaultText: 'the same in all presets; `postern why` shows it' })

const threshold = (doc: string): Leaf<number | 'never' | undefined> =>
  optional(pointsOrNever, { doc: `${doc} \`never\` switches it off.`, defaultText: 'as the preset says' })

const limit = (doc: string): Leaf<RateLimit | undefined> => optional(rate, { doc, defaultText: 'no limit' })

const atOnce = (doc: string): Leaf<number | undefined> => optional(integer({ min: 1, max: 1_000_000 }), { doc, defaultText: 'no limit' })

/** What makes a verdict out of facts. A shadow policy has these keys and no others. */
export const RULES = {
  preset: key(oneOf(...PRESETS), {
    doc: 'Where the policy starts from; every key below changes a part of it. `observe` refuses nothing and tags. `standard` ends sessions of clients without (forward-confirmed) reverse DNS, '
      + 'honours DMARC, warns and scores. `strict` refuses also for block lists, HELO, sender domain and SPF.',
    default: 'standard',
  }),
  early_talker: action('early_talker', 'A client that speaks before it is greeted (RFC 5321 §4.3.1).'),
  rdns: action('rdns', 'The client has no name: its address has no PTR record.'),
  fcrdns: action('fcrdns', 'The client has a name, and no name of it leads back to its address (forward-confirmed reverse DNS; RFC 8601 calls it iprev).'),
  generic_name: action('generic_name', 'The name of the client is one of many that a provider has numbered.'),
  dnsbl: {
    action: action('dnsbl', 'A block list lists the client (RFC 5782).'),
  },
  dnswl: action('dnswl', 'A list of `kind: allow` under `dnsbl.lists` lists the client. `score` takes its weight away from the score.'),
  helo: action('helo', 'The name in HELO or EHLO is none, or not the client\'s: missing, malformed, an address without brackets, our own, or not in the DNS.'),
  sender_domain: action('sender_domain', 'The domain of the sender takes no mail: null MX (RFC 7505), or neither MX nor address.'),
  spf: action('spf', 'SPF says `fail` (RFC 7208). `softfail` counts half its weight and refuses nothing.'),
  dkim: action('dkim', 'There are DKIM signatures, and none of them is good.'),
  dmarc: action('dmarc', 'DMARC fails (RFC 9989). `honour` does what the domain owner asks for: nothing, quarantine, or refusal.'),
  virus: action('virus', 'A virus scanner among `spam.engines` has found something. One that does not answer is no reason to refuse; see `down` there.'),
  content: action('content', 'The rules about content: those of Postern, yours, and SpamAssassin\'s where `spam.spamassassin` names them. Each brings its points.'),
  bayes: action('bayes', 'What the classifier has learned from your mail (`postern train`). It brings its points, and says nothing before it has learned enough of both kinds.'),
  uri_list: action('uri_list', 'A list of `spam.uri_lists` knows a domain, address or hash in the message. Each list brings its weight.'),
  correspondent: action('correspondent', 'The author, authenticated, is somebody that a user of yours has written to. `score` takes the weight away from the score.'),
  engine: action('engine', 'What other spam engines say (`spam.engines`). Each brings its points.'),
  rate: {
    action: action('rate', 'A client exceeds one of these limits. All workers count together.'),
  },
  weights: {
    early_talker: weight('Points of an early talker.'),
    rdns: weight('Points of a client without a name.'),
    fcrdns: weight('Points of a client whose name is not confirmed.'),
    generic_name: weight('Points of a generic name.'),
    helo: weight('Points of a bad HELO.'),
    sender_domain: weight('Points of a sender domain that takes no mail.'),
    spf: weight('Points of an SPF failure.'),
    dkim: weight('Points of signatures that are not good.'),
    dmarc: weight('Points of a DMARC failure.'),
    virus: weight('Points of a virus, where the action is `warn` or `score`.'),
    correspondent: weight('Points that a known correspondent takes away.'),
  },
  spam: {
    tag: threshold('Points from which a message is marked as spam by `X-Spam-Flag`.'),
    quarantine: threshold('Points from which a message is kept in the quarantine.'),
    reject: threshold('Points from which a message is refused.'),
  },
  exceptions: key(listOf(exception, { min: 0, max: 500, type: 'list of exceptions' }), {
    doc: 'When checks are no reason for anything. A refusal that an exception may still excuse waits until that is known.', default: '', defaultText: 'none',
  }),
  dns_down: key(oneOf('accept', 'tempfail'), {
    doc: 'When no DNS server answers at all: `accept` lets mail flow, with `temperror` for what was not found out; `tempfail` asks clients to come back (451) where a check would refuse.', default: 'accept',
  }),
} satisfies Group

export const POLICY = {
  ...RULES,
  dnsbl: {
    ...RULES.dnsbl,
    lists: key(listOf(dnsList, { min: 0, max: 50, type: 'list of DNS lists' }), {
      doc: 'The lists, asked at once. A list counts only while it lists 127.0.0.2 and does not list 127.0.0.1; one that errs is set aside, and the log says what to do. '
        + 'Read the terms of each list before you use it.',
      default: '', defaultText: 'none',
    }),
  },
  rate: {
    ...RULES.rate,
    connections_per_address: limit('Connections of one address, such as `60/1m`.'),
    connections_per_network: limit('Connections of one network (/24 of IPv4, /64 of IPv6).'),
    messages_per_address: limit('Messages of one address.'),
    messages_per_network: limit('Messages of one network.'),
    messages_per_sender: limit('Messages of one sender, together with its network where it is not authenticated.'),
    recipients_per_address: limit('Recipients of one address.'),
    recipients_per_sender: limit('Recipients of one sender, together with its network where it is not authenticated.'),
    sessions_per_address: atOnce('Sessions at once of one address.'),
    sessions_per_network: atOnce('Sessions at once of one network.'),
  },
  exempt: key(listOf(plainNetwork, { min: 0, max: MAX_NETWORKS, type: 'list of networks' }), {
    doc: 'Clients that nothing is checked of: an address, a network, or `unix`. What they send is passed on as it is.', default: '127.0.0.0/8, ::1, unix',
  }),
  early_talker_wait: key(duration({ min: '0s', max: '30s' }), {
    doc: 'How long a suspicious client (listed, without a confirmed name, or with a generic one) waits for the greeting, so that one that cannot wait shows itself. Nobody else waits.', default: '2s',
  }),
  subject_prefix: optional(subjectPrefix, { doc: 'Put in front of the Subject of a message that is marked as spam. It breaks signatures that cover the Subject.', defaultText: 'none: the Subject stays' }),
  trusted_sealers: key(listOf(domainSuffix, { min: 0, max: 1000, type: 'list of domains' }), {
    doc: 'Whose ARC seals (RFC 8617) are believed: forwarders and mailing lists that check mail themselves. What they found can excuse a DMARC failure. A leading dot includes all names below.',
    default: '', defaultText: 'none',
  }),
  partial_signatures: key(oneOf('ignore', 'accept'), {
    doc: 'DKIM signatures that cover a part of the body only (`l=`). `ignore`: such a signature speaks for nobody, since anybody can have added the rest; its result is `policy`. `accept`: it counts like any other.',
    default: 'ignore',
  }),
  allow: optional(filePath, { doc: 'The allow list, which `postern allow` edits: who is let through, from what, why, and until when.', defaultText: 'none' }),
  greylist: {
    action: optional(oneOf('off', 'suspicious'), { doc: 'Ask suspicious clients to come back once (RFC 6647): those with points, listed, or without a confirmed name.', defaultText: '`suspicious` in the preset `strict`, otherwise `off`' }),
    score: key(points, { doc: 'Points from which a client is suspicious.', default: '2' }),
    delay: key(duration({ min: '1s', max: '1h' }), { doc: 'They are let in if they come back after this, counted from the first time.', default: '5m' }),
    window: key(duration({ min: '1m', max: '7d' }), { doc: 'They must come back before this; later they begin anew.', default: '2d' }),
    remember: key(duration({ min: '1h', max: '365d' }), { doc: 'How long somebody who came back need not do so again.', default: '35d' }),
  },
  shadow: optional(filePath, {
    doc: 'A file with a `policy` that is decided beside this one and does nothing: `postern why --diff` shows where the two disagree. Only what can be decided from the same facts may stand in it: '
      + '`preset`, actions, `weights`, `spam`, `exceptions`, `dns_down`.',
    defaultText: 'none',
  }),
} satisfies Group

export const KEPT = {
  quarantine: {
    max_age: key(duration({ min: '1h', max: '365d' }), { doc: 'Messages in the quarantine are deleted after this; time in which no gateway ran does not count.', default: '30d' }),
    max_size: key(size({ min: '1MB', max: '999GB' }), { doc: 'What the quarantine may hold. When it is full, a message that belongs there gets 452, and its sender tries again.', default: '1GB' }),
  },
  decisions: {
    max_age: key(duration({ min: '1h', max: '365d' }), { doc: 'How long `postern why` knows a decision.', default: '14d' }),
    max_count: key(integer({ min: 100, max: 10_000_000, unit: 'decisions' }), { doc: 'How many it knows; the oldest go first.', default: '100000' }),
  },
} satisfies Group
