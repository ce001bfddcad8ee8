/**
 * What is known of a client and its message, as the conditions of exceptions
 * ask for it (policy/condition.ts). What is undefined is not known yet; what
 * the DNS did not tell is `temperror`. Pure.
 */
import type { ArcOutcome } from '../auth/arc.ts'
import type { DkimOutcome } from '../auth/dkim.ts'
import type { DmarcOutcome } from '../auth/dmarc.ts'
import type { IprevOutcome } from '../auth/iprev.ts'
import type { SpfOutcome } from '../auth/spf.ts'
import type { FactName, FactValue } from '../policy/condition.ts'
import type { DnsListResult } from '../reputation/dnsbl.ts'
import type { HeloOutcome } from '../reputation/helo.ts'

export interface Known {
  /** undefined: a unix socket */
  readonly address: string | undefined
  readonly iprev?: IprevOutcome
  readonly generic?: boolean
  readonly lists?: readonly DnsListResult[]
  readonly heloName?: string
  readonly helo?: HeloOutcome
  /** '' for the null reverse-path */
  readonly sender?: string
  readonly recipients?: readonly string[]
  readonly spf?: SpfOutcome
  readonly dkim?: DkimOutcome
  readonly arc?: ArcOutcome
  /** of the author domain that fared worst */
  readonly dmarc?: DmarcOutcome
  readonly fromDomains?: readonly string[]
}

const PENDING: FactValue = { status: 'pending' }
const TEMPERROR: FactValue = { status: 'temperror' }

export function factsOf(known: Known): (name: FactName) => FactValue {
  return (name) => factOf(name, known)
}

function factOf(name: FactName, known: Known): FactValue {
  switch (name) {
    case 'rdns': return reverseFact(known.iprev, 'ptr')
    case 'fcrdns': return reverseFact(known.iprev, 'forward')
    case 'generic_name': return known.generic !== undefined ? values(known.generic ? 'yes' : 'no') : known.iprev?.status === 'temperror' ? TEMPERROR : PENDING
    case 'dnsbl': return listFact(known.lists, 'block')
    case 'dnswl': return listFact(known.lists, 'allow')
    case 'dnsbl_zone': return zones(known.lists, 'block')
    case 'dnswl_zone': return zones(known.lists, 'allow')
    case 'helo': return word(known.helo?.status)
    case 'spf': return word(known.spf?.status)
    case 'dkim': return dkimFact(known.dkim)
    case 'dmarc': return word(known.dmarc?.status)
    case 'arc': return word(known.arc?.status)
    case 'client': return values(...optional(known.address))
    case 'client_name': return names(known.iprev)
    case 'helo_name': return known.heloName === undefined ? PENDING : values(known.heloName)
    case 'sender': return known.sender === undefined ? PENDING : values(...(known.sender === '' ? [] : [known.sender]))
    case 'recipient': return known.recipients === undefined || known.recipients.length === 0 ? PENDING : values(...known.recipients)
    case 'spf_domain': return spfDomain(known.spf)
    case 'dkim_domain': return dkimDomains(known.dkim)
    case 'from_domain': return known.fromDomains === undefined ? PENDING : values(...known.fromDomains)
  }
}

function values(...of: readonly string[]): FactValue {
  return { status: 'known', values: of }
}

/** What could not be found out may be what is asked for. */
function perhapsMore(of: readonly string[], open: boolean): FactValue {
  if (!open) return values(...of)
  return of.length === 0 ? TEMPERROR : { status: 'known', values: of, open }
}

function optional(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}

function word(status: string | undefined): FactValue {
  if (status === undefined) return PENDING
  return status === 'temperror' ? TEMPERROR : values(status)
}

function reverseFact(iprev: IprevOutcome | undefined, stage: 'ptr' | 'forward'): FactValue {
  switch (iprev?.status) {
    case undefined: return PENDING
    case 'pass': return values('pass')
    case 'no-ptr': return values('fail')
    case 'not-confirmed': return values(stage === 'ptr' ? 'pass' : 'fail')
    case 'temperror': return stage === 'ptr' && iprev.stage === 'forward' ? values('pass') : TEMPERROR
    case 'none': return values()
  }
}

function names(iprev: IprevOutcome | undefined): FactValue {
  if (iprev === undefined) return PENDING
  if (iprev.status === 'temperror') return TEMPERROR
  return iprev.status === 'pass' ? perhapsMore(iprev.confirmed, iprev.open === true) : values()
}

function listFact(lists: readonly DnsListResult[] | undefined, kind: 'block' | 'allow'): FactValue {
  if (lists === undefined) return PENDING
  const of = lists.filter((one) => one.kind === kind)
  if (of.some(({ status }) => status === 'listed')) return values('listed')
  return of.some(({ status }) => status === 'error') ? TEMPERROR : values('clean')
}

/** That a list could not be asked leaves open whether it is among them. */
function zones(lists: readonly DnsListResult[] | undefined, kind: 'block' | 'allow'): FactValue {
  if (lists === undefined) return PENDING
  const of = lists.filter((one) => one.kind === kind)
  const listed = of.filter(({ status }) => status === 'listed').map(({ zone }) => zone)
  return perhapsMore(listed, of.some(({ status }) => status === 'error'))
}

function dkimFact(dkim: DkimOutcome | undefined): FactValue {
  switch (dkim?.status) {
    case undefined: return PENDING
    case 'temperror': return TEMPERROR
    case 'pass':
    case 'none': return values(dkim.status)
    case 'fail':
    case 'neutral':
    case 'policy':
    case 'permerror': return values('fail')
  }
}

/** The domain that SPF passes for. */
function spfDomain(spf: SpfOutcome | undefined): FactValue {
  switch (spf?.status) {
    case undefined: return PENDING
    case 'temperror': return TEMPERROR
    case 'pass': return values(spf.domain)
    case 'fail':
    case 'softfail':
    case 'neutral':
    case 'none':
    case 'permerror': return values()
  }
}

/** The domains of the signatures that pass. */
function dkimDomains(dkim: DkimOutcome | undefined): FactValue {
  if (dkim === undefined) return PENDING
  const passed = dkim.signatures.filter(({ status }) => status === 'pass').map(({ domain }) => domain)
  const open = dkim.status === 'temperror' || dkim.signatures.some(({ status }) => status === 'temperror')
  return perhapsMore(passed, open)
}
