/**
 * The allow list: whom the operator lets through, from what, why, and until when.
 *
 * An entry matches an identity that the message has proved: the domain of a DKIM
 * signature that passes and is aligned with From, or the domain that SPF passes
 * for; or, where it says so, the client's address. A From that nothing has
 * proved is no identity: there is no way to hand one in here. An entry that has
 * expired matches nothing.
 *
 * What could match later is `pending`, and what would match if the DNS had
 * answered is `temperror`, so that nobody is refused for good who may be on the
 * list. A domain is itself, or with a leading dot also all below it. A recipient
 * in the scope must be every recipient: the others of a message asked for nothing.
 *
 * Pure but for the clock; nothing throws on entries that `readAllowList` has read.
 */
import { networkMatcher } from '../config/networks.ts'
import { allOf, anyOf, type Truth } from '../policy/truth.ts'

export type AllowIdentity =
  /** domain: by DKIM or by SPF */
  | { readonly kind: 'domain' | 'dkim' | 'spf'; readonly domain: string }
  /** addresses and networks */
  | { readonly kind: 'address'; readonly networks: readonly string[] }

/** All that stands here must hold; nothing: everything. */
export interface AllowScope {
  /** the reverse-path, or its domain */
  readonly sender?: string
  /** `user@example.org`, or `@example.org` */
  readonly recipient?: string
  /** that are excused; otherwise all are */
  readonly checks?: readonly string[]
}

export interface AllowEntry {
  readonly id: string
  readonly match: AllowIdentity
  readonly scope: AllowScope
  readonly reason: string
  readonly author: string
  /** milliseconds since 1970; undefined: never */
  readonly expiresAt: number | undefined
}

/** What a check found for a domain; only `pass` and `temperror` matter. */
export interface ProvedDomain {
  readonly domain: string
  readonly status: string
}

/** What is undefined is not known yet. */
export interface AllowSubject {
  /** the client's; null: a unix socket */
  readonly address: string | null
  /** of the reverse-path; '' for the null one */
  readonly senderDomain: string | undefined
  /** all of it */
  readonly sender?: string | undefined
  readonly recipients: readonly string[] | undefined
  /** null: not asked, or no domain */
  readonly spf: ProvedDomain | null | undefined
  /** signatures aligned with From (RFC 9989 §4.4.1), and no others */
  readonly alignedDkim: readonly ProvedDomain[] | undefined
}

export interface AllowMatch {
  readonly entry: AllowEntry
  readonly truth: Exclude<Truth, 'false'>
  /** of one that is true: `dkim partner.example` */
  readonly by: string
}

export interface AllowList {
  readonly entries: readonly AllowEntry[]
  /** The entries that match, will perhaps, or would; those that count already first. */
  match(subject: AllowSubject): readonly AllowMatch[]
  /** Entries that do nothing any more. */
  expired(): readonly AllowEntry[]
}

/** How often entries were of use; kept where all workers see it. Never throws. */
export interface AllowHits {
  /** The entry has excused something. @param at milliseconds since 1970 */
  hit(id: string, at: number): void
  of(id: string): { readonly count: number; readonly lastAt: number } | undefined
}

export class MemoryAllowHits implements AllowHits {
  readonly #hits = new Map<string, { readonly count: number; readonly lastAt: number }>()

  hit(id: string, at: number): void {
    this.#hits.set(id, { count: (this.#hits.get(id)?.count ?? 0) + 1, lastAt: at })
  }

  of(id: string): { readonly count: number; readonly lastAt: number } | undefined {
    return this.#hits.get(id)
  }
}

interface Found {
  readonly truth: Truth
  readonly by: string
}

/** @param now milliseconds since 1970 */
export function createAllowList(entries: readonly AllowEntry[], now: () => number): AllowList {
  const matchers = entries.map((entry) => ({ entry, identity: identityMatcher(entry.match) }))
  return {
    entries,
    match(subject) {
      const at = now()
      const found = matchers.flatMap(({ entry, identity }): AllowMatch[] => {
        if (isExpired(entry, at)) return []
        const { truth: identified, by } = identity(subject)
        const truth = allOf([identified, senderTruth(entry.scope, subject), recipientTruth(entry.scope, subject)])
        return truth === 'false' ? [] : [{ entry, truth, by: truth === 'true' ? by : '' }]
      })
      return [...found.filter(({ truth }) => truth === 'true'), ...found.filter(({ truth }) => truth !== 'true')]
    },
    expired: () => entries.filter((entry) => isExpired(entry, now())),
  }
}

function isExpired({ expiresAt }: AllowEntry, at: number): boolean {
  return expiresAt !== undefined && at >= expiresAt
}

function identityMatcher(match: AllowIdentity): (subject: AllowSubject) => Found {
  switch (match.kind) {
    case 'address': {
      const contains = networkMatcher(match.networks)
      return ({ address }) => ({ truth: address !== null && contains(address) ? 'true' : 'false', by: `address ${address ?? ''}` })
    }
    case 'dkim':
      return ({ alignedDkim }) => provedBy('dkim', alignedDkim, match.domain)
    case 'spf':
      return ({ spf }) => provedBy('spf', listOf(spf), match.domain)
    case 'domain':
      return ({ alignedDkim, spf }) => {
        const both = [provedBy('dkim', alignedDkim, match.domain), provedBy('spf', listOf(spf), match.domain)]
        return { truth: anyOf(both.map(({ truth }) => truth)), by: both.find(({ truth }) => truth === 'true')?.by ?? '' }
      }
  }
}

function listOf(spf: ProvedDomain | null | undefined): readonly ProvedDomain[] | undefined {
  if (spf === undefined) return undefined
  return spf === null ? [] : [spf]
}

/** A failure counts for the domain it happened to, so that a stranger's broken DNS says nothing of those on the list. */
function provedBy(kind: 'dkim' | 'spf', proved: readonly ProvedDomain[] | undefined, wanted: string): Found {
  if (proved === undefined) return { truth: 'pending', by: '' }
  const ofDomain = proved.filter(({ domain }) => isOfDomain(domain.toLowerCase(), wanted))
  const passed = ofDomain.find(({ status }) => status === 'pass')
  if (passed !== undefined) return { truth: 'true', by: `${kind} ${passed.domain.toLowerCase()}` }
  return { truth: ofDomain.some(({ status }) => status === 'temperror') ? 'temperror' : 'false', by: '' }
}

function isOfDomain(domain: string, wanted: string): boolean {
  return wanted.startsWith('.') ? domain.endsWith(wanted) || domain === wanted.slice(1) : domain === wanted
}

function senderTruth({ sender }: AllowScope, { senderDomain, sender: found }: AllowSubject): Truth {
  if (sender === undefined) return 'true'
  if (sender.includes('@')) return found === undefined ? 'pending' : found.toLowerCase() === sender ? 'true' : 'false'
  if (senderDomain === undefined) return 'pending'
  return isOfDomain(senderDomain.toLowerCase(), sender) ? 'true' : 'false'
}

function recipientTruth({ recipient }: AllowScope, { recipients }: AllowSubject): Truth {
  if (recipient === undefined) return 'true'
  if (recipients === undefined || recipients.length === 0) return 'pending'
  return recipients.every((one) => isRecipient(one.toLowerCase(), recipient)) ? 'true' : 'false'
}

function isRecipient(address: string, wanted: string): boolean {
  return wanted.startsWith('@') ? address.slice(address.lastIndexOf('@')) === wanted : address === wanted
}
