/**
 * DMARC (RFC 9989): finding the policy by the tree walk (§4.10), alignment of
 * what SPF and DKIM have authenticated (§3.2.10), and the policy to apply after
 * `np`, `sp` and the test mode `t` (§4.7; there is no `pct` any more). With
 * mailauth in strict mode.
 *
 * `temperror` where the answer rests on something that could not be had: a step
 * of the walk, whether the domain exists (for `np`), or an SPF or DKIM result
 * that is itself temperror and would have been aligned. A `pass` and a `fail`
 * that such a thing cannot change stand. `permerror`: there is no author domain
 * to ask about (§5.3.1). Nothing throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { mailauth } from './mailauth-library.ts'
import type { LibraryDmarcEvaluation, LibraryDmarcResponse } from './mailauth-library.ts'
import { failureText, recordingResolver } from './mailauth-resolver.ts'
import type { MailauthResolve } from './mailauth-resolver.ts'
import { causeText, strangerText, thrownText } from './stranger-text.ts'

export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

/** What a check before this one found; only `pass` and `temperror` matter. */
export interface AuthenticatedDomain {
  readonly status: string
  readonly domain: string
}

export interface DmarcInput {
  /** of the one address (or the several with one domain) in From */
  readonly fromDomain: string
  /** of MAIL FROM; of HELO where the reverse-path is null (RFC 9989 §4.4.2) */
  readonly spf: AuthenticatedDomain | null
  readonly dkim: readonly (AuthenticatedDomain & { readonly bodyLength?: { readonly signed: number; readonly total: number } | null })[]
}

export interface DmarcAlignment {
  /** the aligned domain, null where SPF is not aligned */
  readonly spf: string | null
  /** the aligned d=, each once; empty where none is */
  readonly dkim: readonly string[]
  /** the owner asks for equal domains (aspf=s, adkim=s) */
  readonly strict: { readonly spf: boolean; readonly dkim: boolean }
}

export interface DmarcOutcome {
  readonly status: 'pass' | 'fail' | 'none' | 'temperror' | 'permerror'
  /** to be applied where the status is `fail`; `none` where there is no policy or it is not known */
  readonly policy: DmarcPolicy
  /** the author domain, in lower case and as A-labels */
  readonly domain: string
  /** '' where the walk did not get that far */
  readonly organizationalDomain: string
  /** where the applied record stands, as `_dmarc.example.org`; null where there is none */
  readonly recordName: string | null
  readonly record: string | null
  readonly alignment: DmarcAlignment
  /** t=y: the owner is testing, and `policy` is already one step weaker */
  readonly testing: boolean
  /** why it is not pass; '' where it is */
  readonly cause: string
}

const MAX_RECORD_CHARACTERS = 4096
const UNALIGNED: DmarcAlignment = { spf: null, dkim: [], strict: { spf: false, dkim: false } }

export async function evaluateDmarc(input: DmarcInput, resolver: Resolver): Promise<DmarcOutcome> {
  const asked = recordingResolver(resolver)
  const domain = strangerText(input.fromDomain, 253).toLowerCase().replace(/\.$/, '')
  const nothing = { policy: 'none', domain, organizationalDomain: '', recordName: null, record: null, alignment: UNALIGNED, testing: false } as const
  try {
    const found = await evaluate(input, ['pass'], asked.resolve)
    if (found.response === false) return { ...nothing, status: 'permerror', cause: causeText(`From names no domain that could have a policy: ${found.reason ?? 'no reason given'}`) }
    const outcome = made(found.response, found, nothing)
    if (outcome.status === 'temperror') return { ...outcome, cause: causeText(asked.failures[0] === undefined ? (found.response.error ?? 'not evaluated') : failureText(asked.failures[0])) }
    if (outcome.status !== 'fail') return outcome
    const pending = await pendingResult(input, asked.resolve)
    return pending === null ? outcome : { ...outcome, status: 'temperror', cause: pending }
  } catch (error) {
    return { ...nothing, status: 'temperror', cause: `DMARC could not be evaluated: ${thrownText(error)}` }
  }
}

/** A `fail` is not one while a result is outstanding that would have made it a pass. */
async function pendingResult(input: DmarcInput, resolve: MailauthResolve): Promise<string | null> {
  const waiting = [input.spf, ...input.dkim].filter((one) => one !== null && one.status === 'temperror')
  if (waiting.length === 0) return null
  // Nothing is asked twice; new is at most the walk of a domain that was not counted before, and its failure is temperror as well.
  const { response } = await evaluate(input, ['pass', 'temperror'], resolve)
  if (response === false || response.status.result === 'fail') return null
  return causeText(`not authenticated, and ${waiting.map((one) => (one === input.spf ? 'SPF' : 'DKIM') + ` of ${one?.domain ?? ''}`).join(', ')} could not be checked`)
}

function evaluate(input: DmarcInput, counting: readonly string[], resolve: MailauthResolve): Promise<LibraryDmarcEvaluation> {
  const counts = ({ status, domain }: AuthenticatedDomain): boolean => counting.includes(status) && domain !== ''
  return mailauth().evaluateDmarc({
    // as an address, because a bare name may be one too: what has an @ of its own is no domain
    headerFrom: `author@${input.fromDomain}`,
    spfDomains: input.spf !== null && counts(input.spf) ? [input.spf.domain] : [],
    dkimDomains: input.dkim.filter(counts).map(({ domain, bodyLength }) => ({ domain, underSized: Math.max(0, (bodyLength?.total ?? 0) - (bodyLength?.signed ?? 0)) })),
    resolver: resolve,
    strict: true,
  })
}

function made(response: LibraryDmarcResponse, { dkimAligned }: LibraryDmarcEvaluation, nothing: Omit<DmarcOutcome, 'status' | 'cause'>): DmarcOutcome {
  const status = statusOf(response.status.result)
  const { alignment } = response
  const known = {
    ...nothing,
    organizationalDomain: status === 'temperror' ? '' : strangerText(response.domain ?? '', 253),
    recordName: response.policyDomain === undefined ? null : `_dmarc.${strangerText(response.policyDomain, 253)}`,
    record: response.rr === undefined ? null : strangerText(response.rr, MAX_RECORD_CHARACTERS),
    testing: response.testMode ?? false,
    ...(alignment === undefined ? {} : {
      alignment: { spf: alignment.spf.result ?? null, dkim: [...(dkimAligned ?? [])], strict: { spf: alignment.spf.strict, dkim: alignment.dkim.strict } },
    }),
  }
  const policy = status === 'pass' || status === 'fail' ? policyOf(response.policy) : 'none'
  switch (status) {
    case 'pass':
      return { ...known, status, policy, cause: '' }
    case 'fail':
      return { ...known, status, policy, cause: 'neither SPF nor DKIM has authenticated a domain that is aligned' }
    case 'none':
      return { ...known, status, policy, cause: 'the domain publishes no policy' }
    case 'temperror':
      return { ...known, status, policy, cause: 'the DNS did not answer' }
  }
}

function statusOf(word: string): 'pass' | 'fail' | 'none' | 'temperror' {
  switch (word) {
    case 'pass':
    case 'fail':
    case 'none':
    case 'temperror':
      return word
    default:
      return 'temperror'
  }
}

function policyOf(word: string | undefined): DmarcPolicy {
  return word === 'quarantine' || word === 'reject' ? word : 'none'
}
