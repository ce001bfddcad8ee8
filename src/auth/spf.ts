/**
 * SPF (RFC 7208; internationalized addresses by RFC 8616) with mailauth in its
 * strict mode.
 *
 * The identity is MAIL FROM; where the reverse-path is null it is
 * `postmaster@HELO` (§2.4), and the scope says so. The result is always one of
 * the seven of §2.6: nothing throws. A question that the DNS did not answer is
 * `temperror`, and nothing else: also behind a `ptr` term, where §5.5 would go
 * on as if the term did not match and might end in `fail`. A `pass` stands. One
 * thing of §5.5 is kept: a name out of the client's own PTR whose address is
 * SERVFAIL is passed over, because the owner of that name is the client.
 *
 * Bounds: look-ups, void look-ups and time (§4.6.4), ten names of an MX or PTR,
 * 4096 octets of a record, 200 characters of an explanation.
 */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { Resolver } from '../dns/resolver.ts'
import { mailauth } from './mailauth-library.ts'
import type { LibrarySpfResult } from './mailauth-library.ts'
import { failureText, recordingResolver } from './mailauth-resolver.ts'
import type { FailedLookup, MailauthRecords, MailauthResolve } from './mailauth-resolver.ts'
import { causeText, strangerText, thrownText } from './stranger-text.ts'

export type SpfStatus = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'

export interface SpfInput {
  /** the client's */
  readonly address: string
  /** as the client said it; '' where it said nothing */
  readonly helo: string
  /** `local@domain` in Unicode, without quoting and angle brackets; null or '' for the null reverse-path */
  readonly sender: string | null
  /** our own name, for the macro `r` of an explanation */
  readonly receiver?: string
}

export interface SpfLimits {
  readonly maxLookups: number
  readonly maxVoidLookups: number
  /** for the whole check */
  readonly timeoutMs: number
}

/** RFC 7208 §4.6.4. */
export const SPF_LIMITS: SpfLimits = { maxLookups: 10, maxVoidLookups: 2, timeoutMs: 20_000 }

export interface SpfOutcome {
  readonly status: SpfStatus
  /** the domain that was asked, in lower case and as A-labels; '' where the identity has none */
  readonly domain: string
  readonly scope: 'mailfrom' | 'helo'
  /** the record of that domain, where there is one */
  readonly record?: string
  /** of a `fail`, in the words of the domain's owner (§6.2): printable, bounded, and not ours */
  readonly explanation?: string
  /** why it is temperror, permerror or none */
  readonly cause?: string
}

/** The longest record that is evaluated; RFC 7208 §3.4 asks owners to stay below 512. */
const MAX_RECORD_OCTETS = 4096
const MAX_EXPLANATION_CHARACTERS = 200
/** RFC 5321 §4.5.3.1 allows a path of 256 octets; RFC 6531 counts in UTF-8. */
const MAX_IDENTITY_CHARACTERS = 512

export async function checkSpf(input: SpfInput, resolver: Resolver, limits: SpfLimits = SPF_LIMITS): Promise<SpfOutcome> {
  const scope = input.sender === null || input.sender === '' ? 'helo' : 'mailfrom'
  const helo = hostName(strangerText(input.helo, MAX_IDENTITY_CHARACTERS))
  const sender = scope === 'helo' ? `postmaster@${helo}` : withAsciiDomain(input.sender ?? '')
  const domain = sender.slice(sender.lastIndexOf('@') + 1)
  const none = (cause: string): SpfOutcome => ({ status: 'none', domain: '', scope, cause })
  if (isIP(input.address.replace(/%.*$/, '')) === 0) return none('the client has no IP address')
  if (sender.length > MAX_IDENTITY_CHARACTERS) return none('the sender is longer than an address can be')
  if (!/^[\x21-\x7e]*$/.test(domain)) return none('the domain has characters that no domain has')
  if (domain === '') return none(scope === 'helo' ? 'the client gave no name in HELO' : 'the sender has no domain')

  const asked = recordingResolver(resolver)
  try {
    const result = await mailauth().spf({
      // RFC 7208 §2.4: mailauth tells the null reverse-path from an address by its absence
      sender: scope === 'helo' ? '' : sender,
      ip: input.address,
      helo,
      mta: input.receiver ?? 'unknown',
      maxResolveCount: limits.maxLookups,
      maxVoidCount: limits.maxVoidLookups,
      maxElapsedTime: limits.timeoutMs,
      resolver: boundedTexts(asked.resolve),
      strict: true,
    })
    return outcome(result, { domain, scope }, asked.failures)
  } catch (error) {
    return { status: 'temperror', domain, scope, cause: `SPF could not be evaluated: ${thrownText(error)}` }
  }
}

function outcome(result: LibrarySpfResult, identity: Pick<SpfOutcome, 'domain' | 'scope'>, failures: readonly FailedLookup[]): SpfOutcome {
  const found = statusOf(result.status.result)
  // What fails without an end of the evaluation is a PTR, the addresses of its names, and the TXT of an explanation, which changes no result.
  const unanswered = failures.find(({ type, status }) => type === 'PTR' || (type !== 'TXT' && status === 'timeout')) ?? (found === 'temperror' ? failures[0] : undefined)
  const status = unanswered !== undefined && found !== 'pass' ? 'temperror' : found
  const record = result.rr === undefined ? {} : { record: strangerText(result.rr, MAX_RECORD_OCTETS) }
  switch (status) {
    case 'pass':
    case 'softfail':
    case 'neutral':
      return { status, ...identity, ...record }
    case 'fail':
      return { status, ...identity, ...record, ...(result.explanation === undefined ? {} : { explanation: strangerText(result.explanation, MAX_EXPLANATION_CHARACTERS) }) }
    case 'none':
      return { status, ...identity, cause: 'the domain publishes no SPF record, or cannot be a domain' }
    case 'temperror':
    case 'permerror':
      return { status, ...identity, ...record, cause: unanswered === undefined ? commentCause(result) : causeText(failureText(unanswered)) }
  }
}

/** mailauth's comment is `host: … during lookup of SENDER: why`. */
function commentCause(result: LibrarySpfResult): string {
  const comment = result.status.comment === false || result.status.comment === undefined ? '' : result.status.comment
  const why = /during lookup of .*?: (.*)$/s.exec(comment)?.[1]
  return causeText(why ?? comment)
}

function statusOf(word: string): SpfStatus {
  switch (word) {
    case 'pass':
    case 'fail':
    case 'softfail':
    case 'neutral':
    case 'none':
    case 'temperror':
    case 'permerror':
      return word
    default:
      // A word that RFC 7208 §2.6 does not have: mailauth has changed, and no result of ours may rest on a guess.
      return 'temperror'
  }
}

/**
 * A text longer than any honest one is not parsed: a record becomes one that
 * has a syntax error, any other text (an explanation) becomes empty. Parsing
 * takes time in the square of a term's length.
 */
function boundedTexts(resolve: MailauthResolve): MailauthResolve {
  return async (name, type): Promise<MailauthRecords> => {
    const records = await resolve(name, type)
    if (type !== 'TXT') return records
    return records.map((record): string[] => {
      const strings = Array.isArray(record) ? record : []
      const text = strings.join('')
      if (text.length <= MAX_RECORD_OCTETS) return strings
      return [/^v=spf1(?: |$)/i.test(text) ? `v=spf1 longer-than-${MAX_RECORD_OCTETS}-octets` : '']
    })
  }
}

/** RFC 8616 §4: the domain as A-labels, the local part as it is. A dot at the end is not part of the name. */
function withAsciiDomain(sender: string): string {
  const at = sender.lastIndexOf('@')
  return `${sender.slice(0, at < 0 ? 0 : at)}@${hostName(sender.slice(at + 1))}`
}

function hostName(name: string): string {
  const bare = name.trim().replace(/\.$/, '').toLowerCase()
  return /[^\x00-\x7f]/.test(bare) ? domainToASCII(bare) : bare
}
