/**
 * Tokens of the message's fields: which of them are there, who wrote the message
 * with what, how it is addressed, the shape of its way here. Left out is what
 * the site's own hops, its filters and its users' programs add – it would teach
 * where a message was kept, not what it is –, what is another for each message
 * (dates, identifiers), and what rules know better (authentication).
 *
 * Never throws.
 */
import type { MimeField } from '../../mime/message-parts.ts'
import type { MessageContent } from '../content.ts'
import { bareSubjectField } from './bare-subject.ts'
import { tokenContext, type TokenCollector, type TokenContext } from './token-set.ts'
import { eachWord } from './words.ts'
import { receivedTokens } from './received-tokens.ts'

export interface HeaderRequest {
  readonly ownHosts: ReadonlySet<string>
  readonly delivered: boolean
  readonly subjectPrefix?: string | undefined
}

/** Fields of hops, filters, mail stores and list archives, and those that stand in every message. */
const FOREIGN = new RegExp(`^(?:${[
  'received', 'received-.*', 'return-path', 'delivered-.*', 'envelope-.*', 'delivery-date', 'x-original-to', 'x-envelope-.*', 'x-real-to', 'x-rcpt-to', 'x-delivered-.*', 'x-received.*', 'x-fetched.*', 'x-pop3.*', 'x-apparently-to', 'resent-.*',
  'authentication-results.*', 'x-authentication-.*', 'arc-.*', 'dkim-.*', 'domainkey-.*', 'x-google-dkim.*', 'x-.*-dkim.*',
  'x-spam.*', 'x-.*-spam.*', 'x-.*spam.*', 'x-virus.*', 'x-.*virus.*', 'x-amavis.*', 'x-rspamd.*', 'x-bogosity', 'x-dspam.*', 'x-crm114.*', 'x-scanned.*', 'x-.*scan.*', 'x-mailscanner.*', 'x-quarantine.*', 'x-greylist.*', 'x-policyd.*', 'x-sieve.*', 'x-junk.*', 'x-gmail-.*', 'x-gm-.*', 'x-google-smtp.*', 'x-ms-exchange-.*', 'x-ms-.*', 'x-forefront.*', 'x-microsoft-antispam.*', 'x-proofpoint.*', 'x-barracuda.*', 'x-ironport.*', 'x-cloudmark.*', 'x-postern.*', 'x-loop', 'x-filter.*', 'x-pyzor.*', 'x-razor.*', 'x-habeas.*',
  'status', 'x-status', 'x-mozilla.*', 'x-keywords', 'x-uid', 'x-uidl', 'x-imap.*', 'x-evolution.*', 'x-folder', 'x-label', 'x-kmail.*', 'content-length', 'lines', 'xref', 'x-account-.*', 'x-mail-.*-folder',
  'archived-at', 'list-archive', 'x-list-archive', 'x-original-date', 'x-archive.*', 'x-no-archive',
  'date', 'message-id', 'from', 'subject', 'to', 'mime-version', 'content-.*',
].join('|')})$`)

/** Whose value is one of a few: the whole of it is a token. */
const FEW_VALUES = new Set(['precedence', 'x-priority', 'x-msmail-priority', 'importance', 'priority', 'auto-submitted', 'sensitivity', 'x-auto-response-suppress', 'list-unsubscribe-post', 'feedback-type'])
/** The programs that wrote the message: one kind of thing under several names. */
const PROGRAMS = new Set(['x-mailer', 'user-agent', 'x-mimeole', 'x-newsreader'])
/** Whose values are identifiers. */
const NO_WORDS = new Set(['references', 'in-reply-to', 'thread-index', 'list-unsubscribe', 'list-post', 'list-help', 'list-subscribe', 'list-owner'])
/** Whose value names a host. */
const HOSTS = new Set(['reply-to', 'sender', 'list-id', 'errors-to'])

/** Looked up wherever they stand. */
const TOLD = new Set([...FEW_VALUES, ...PROGRAMS, ...HOSTS, 'from', 'to', 'cc', 'subject', 'date', 'message-id', 'mime-version', 'references', 'in-reply-to'])

/** of different names */
const MAX_FIELDS = 200
const MAX_DISPLAY = 200
const MAX_NAME = 40
const MAX_VALUE = 40
const MAX_WORDS_CHARACTERS = 200
const MAX_VALUE_CHARACTERS = 120
const MAX_ADDRESS = 1000
/** Field names that are seen again and again, and whether they count. */
const MAX_KNOWN = 2000

const NAME = tokenContext('field:')
const VALUE = tokenContext('field ')
const MAILER = tokenContext('mailer:')
const WORDS = tokenContext('in-header:')
const ADDRESSEE = tokenContext('to:')
const FROM_NAME = tokenContext('from:')
const FROM_DOMAIN = tokenContext('from-domain:')
const FROM_LOCAL = tokenContext('from-local:')
const HOST = tokenContext('field-host:')
const SHAPE = tokenContext('header:')

const known = new Map<string, boolean>()

/** First what every message has, then fields that say much, then all others: those may be anything, and as many as anybody likes. */
export function headerTokens(content: MessageContent, request: HeaderRequest, collector: TokenCollector): void {
  const fields = content.mime.parts[0]?.fields ?? []
  const first = new Map<string, MimeField>()
  for (const field of fields) {
    if (!first.has(field.name) && (first.size < MAX_FIELDS || TOLD.has(field.name))) first.set(field.name, field)
  }
  receivedTokens(fields, request, collector)
  const author = authorTokens(first.get('from'), collector)
  relationTokens(first, { author, subjectPrefix: request.subjectPrefix }, collector)
  addresseeTokens(first, collector)
  for (const told of [true, false]) {
    for (const field of first.values()) if (TOLD.has(field.name) === told && counts(field.name)) fieldTokens(field, collector)
  }
}

function counts(name: string): boolean {
  const before = known.get(name)
  if (before !== undefined) return before
  const result = name.length <= MAX_NAME && !FOREIGN.test(name)
  if (known.size < MAX_KNOWN) known.set(name, result)
  return result
}

function fieldTokens({ name, raw }: MimeField, collector: TokenCollector): void {
  collector.text(NAME, name)
  if (FEW_VALUES.has(name)) collector.text(VALUE, `${name}: ${raw.slice(0, MAX_VALUE).toLowerCase()}`)
  else if (PROGRAMS.has(name)) words(MAILER, raw.slice(0, MAX_WORDS_CHARACTERS), collector)
  else if (HOSTS.has(name)) {
    const domain = name === 'list-id' ? /<([^<>\s]{1,255})>\s*$/.exec(raw.slice(0, MAX_ADDRESS))?.[1]?.toLowerCase() : domainOf(raw)
    if (domain !== undefined) domainTokens(`${name} `, domain, collector)
  } else if (!NO_WORDS.has(name)) words(WORDS, raw.slice(0, MAX_VALUE_CHARACTERS), collector)
}

function words(context: TokenContext, text: string, collector: TokenCollector): void {
  eachWord(text, { start: 0, end: text.length }, (word) => {
    if (collector.word(context, word.low, word.high)) collector.name(context.label + text.slice(word.start, word.end).toLowerCase())
    return true
  })
}

interface Author {
  readonly local: string
  readonly domain: string
}

function authorTokens(field: MimeField | undefined, collector: TokenCollector): Author | undefined {
  if (field === undefined) {
    collector.text(SHAPE, 'no from')
    return undefined
  }
  const text = field.text.slice(0, MAX_ADDRESS)
  const at = text.lastIndexOf('@')
  const open = text.lastIndexOf('<', at < 0 ? text.length : at)
  const display = open > 0 ? text.slice(0, open) : /\(([^()]*)\)/.exec(text)?.[1] ?? ''
  words(FROM_NAME, display.slice(0, MAX_DISPLAY), collector)
  collector.text(SHAPE, display.trim() === '' ? 'from without a name' : 'from with a name')
  const domain = domainOf(text)
  if (at < 0 || domain === undefined) return undefined
  const local = (/[^\s<>"@,:;]{1,64}$/.exec(text.slice(Math.max(0, at - 64), at))?.[0] ?? '').toLowerCase()
  collector.text(FROM_LOCAL, local)
  collector.text(SHAPE, /\d{3}/.test(local) ? 'digits in from' : 'no digits in from')
  domainTokens('', domain, collector)
  return { local, domain }
}

/** The domain, and what it is a part of. */
function domainTokens(label: string, domain: string, collector: TokenCollector): void {
  const context = label === '' ? FROM_DOMAIN : HOST
  let at = 0
  for (let labels = 0; labels < 4 && at >= 0; labels++) {
    const rest = domain.slice(at)
    if (rest === '') break
    collector.text(context, label + rest)
    const dot = domain.indexOf('.', at)
    at = dot < 0 ? -1 : dot + 1
  }
}

function domainOf(text: string): string | undefined {
  const at = text.lastIndexOf('@', MAX_ADDRESS)
  return at < 0 ? undefined : /^[^\s<>(),;:"[\]]{1,255}/.exec(text.slice(at + 1, at + 256))?.[0].toLowerCase().replace(/\.+$/, '')
}

interface Relation {
  readonly author: Author | undefined
  readonly subjectPrefix: string | undefined
}

/** How fields stand to each other. */
function relationTokens(first: ReadonlyMap<string, MimeField>, { author, subjectPrefix }: Relation, collector: TokenCollector): void {
  const same = (name: string): string => {
    const field = first.get(name)
    if (field === undefined) return 'none'
    const domain = domainOf(field.raw)
    if (domain === undefined) return 'no domain'
    if (author === undefined) return 'other'
    return domain === author.domain ? 'same' : domain.endsWith(`.${author.domain}`) || author.domain.endsWith(`.${domain}`) ? 'near' : 'other'
  }
  for (const name of ['reply-to', 'sender', 'message-id']) collector.text(SHAPE, `${name} of ${same(name)} domain`)
  if (first.get('message-id') === undefined) collector.text(SHAPE, 'no message-id')
  if (first.get('date') === undefined) collector.text(SHAPE, 'no date')
  if (first.get('mime-version') === undefined) collector.text(SHAPE, 'no mime-version')
  const field = first.get('subject')
  const subject = field === undefined ? undefined : bareSubjectField(field.raw, subjectPrefix)
  collector.text(SHAPE, subject === undefined ? 'no subject' : /^(?:re|aw|sv|antw|fw|fwd|wg)\s*(?:\[\d+\])?:/i.test(subject) ? 'subject of a reply' : 'subject of its own')
  if (subject !== undefined) collector.text(SHAPE, subject.includes('=?') ? 'subject encoded' : /[^\x00-\x7f]/.test(subject) ? 'subject in bytes' : 'subject plain')
  const references = (first.get('references')?.raw ?? first.get('in-reply-to')?.raw ?? '').split('<', 12).length - 1
  collector.text(SHAPE, `references ${references > 8 ? 'many' : references > 2 ? 'some' : references}`)
}

function addresseeTokens(first: ReadonlyMap<string, MimeField>, collector: TokenCollector): void {
  const to = first.get('to')?.raw
  if (to === undefined) collector.text(SHAPE, 'no to')
  else if (!to.includes('@')) collector.text(SHAPE, 'to nobody')
  else collector.text(SHAPE, to.includes('<') && !to.trimStart().startsWith('<') ? 'to a name' : 'to an address')
  for (const name of ['to', 'cc']) words(ADDRESSEE, first.get(name)?.raw.slice(0, MAX_WORDS_CHARACTERS) ?? '', collector)
  const count = ['to', 'cc'].reduce((sum, name) => sum + (first.get(name)?.raw.split('@', 64).length ?? 1) - 1, 0)
  collector.text(SHAPE, `addressees ${count > 20 ? 'many' : count > 5 ? 'some' : count > 2 ? 'few' : count}`)
}
