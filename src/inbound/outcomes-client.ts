/**
 * What the checks of a client found, as the policy sees it: whether it speaks
 * against the client, and how to say so. Pure.
 *
 * Texts stand in replies: they say what to mend, in ASCII. What a stranger
 * wrote stands in them only where it was read as a name.
 */
import type { GenericName } from '../auth/generic-name.ts'
import type { IprevOutcome } from '../auth/iprev.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import type { DnsListResult } from '../reputation/dnsbl.ts'
import type { HeloOutcome } from '../reputation/helo.ts'
import type { RateOutcome } from '../reputation/rates.ts'
import type { SenderDomainOutcome } from '../reputation/sender-domain.ts'

/** RFC 7372 §3.3: reverse DNS validation failed */
const REVERSE_DNS = [7, 25] as const
/** RFC 3463: delivery not authorized */
const NOT_AUTHORIZED = [7, 1] as const
/** RFC 5321 §4.3.1 has no code of its own: a protocol error */
const OUT_OF_ORDER = [5, 1] as const

const TRY_AGAIN = 'the DNS did not answer; try again later'

export function iprevOutcomes(found: IprevOutcome, address: string): readonly CheckOutcome[] {
  const rdns = { check: 'rdns', code: REVERSE_DNS } as const
  const fcrdns = { check: 'fcrdns', code: REVERSE_DNS } as const
  switch (found.status) {
    case 'pass':
      return [{ ...rdns, status: 'pass', result: 'pass', text: '' }, { ...fcrdns, status: 'pass', result: 'pass', text: '' }]
    case 'no-ptr': {
      const said = { status: 'fail', result: 'no-ptr', text: `Your address ${address} has no name: let its provider add a PTR record, or send through a relay that has one`, warnings: [`${address} has no name in the DNS`] } as const
      return [{ ...rdns, ...said }, { ...fcrdns, ...said, warnings: [] }]
    }
    case 'not-confirmed': {
      const [name = 'its name'] = found.ptr
      return [
        { ...rdns, status: 'pass', result: 'pass', text: '' },
        { ...fcrdns, status: 'fail', result: 'not-confirmed', text: `Your address ${address} is called ${name}, which does not lead back to it: give that name an address record, or change the PTR record`, warnings: [`${address} is called ${name}, which does not lead back to it`] },
      ]
    }
    case 'temperror': {
      const said = { status: 'temperror', result: 'temperror', text: `The name of your address ${address} could not be found out: ${TRY_AGAIN}` } as const
      return [found.stage === 'ptr' ? { ...rdns, ...said } : { ...rdns, status: 'pass', result: 'pass', text: '' }, { ...fcrdns, ...said }]
    }
    case 'none':
      return [{ ...rdns, status: 'none', result: 'none', text: '' }, { ...fcrdns, status: 'none', result: 'none', text: '' }]
  }
}

export function genericNameOutcome({ generic }: GenericName, address: string): CheckOutcome {
  if (!generic) return { check: 'generic_name', status: 'none', result: 'no', code: NOT_AUTHORIZED, text: '' }
  return { check: 'generic_name', status: 'fail', result: 'yes', code: NOT_AUTHORIZED, text: `The name of your address ${address} is one of a pool: send through your provider's relay`, warnings: [`${address} has the name of a pool`] }
}

/** One outcome a list that has something to say; of each kind at least one. */
export function dnsListOutcomes(results: readonly DnsListResult[], address: string): readonly CheckOutcome[] {
  const block = results.filter(({ kind }) => kind === 'block').flatMap((one) => blockOutcome(one, address))
  const allow = results.filter(({ kind }) => kind === 'allow').flatMap(allowOutcome)
  return [
    ...(block.length > 0 ? block : [nothing('dnsbl')]),
    ...(allow.length > 0 ? allow : [nothing('dnswl')]),
  ]
}

function nothing(check: 'dnsbl' | 'dnswl'): CheckOutcome {
  return { check, status: 'none', result: 'clean', code: NOT_AUTHORIZED, text: '' }
}

function blockOutcome(found: DnsListResult, address: string): readonly CheckOutcome[] {
  switch (found.status) {
    case 'listed':
      return [{
        check: 'dnsbl', status: 'fail', result: `listed at ${found.zone}`, code: NOT_AUTHORIZED, weight: found.weight,
        text: `Your address ${address} is listed at ${found.zone}${found.reason === undefined ? '' : `: ${asciiText(found.reason)}`}`,
        warnings: [`${address} is in a black list at ${found.zone}`],
      }]
    case 'error':
      // An unproved list and one that is set aside are as if they were not configured: that is an operator's matter, and in the log.
      return found.stage === 'look-up' ? [{ check: 'dnsbl', status: 'temperror', result: `temperror at ${found.zone}`, code: NOT_AUTHORIZED, text: `The block list ${found.zone} could not be asked: ${TRY_AGAIN}` }] : []
    case 'not-listed':
    case 'not-asked':
      return []
  }
}

function allowOutcome(found: DnsListResult): readonly CheckOutcome[] {
  if (found.status === 'listed') return [{ check: 'dnswl', status: 'pass', result: `listed at ${found.zone}`, code: NOT_AUTHORIZED, weight: -found.weight, text: '' }]
  // Whatever keeps it from speaking for the client: the points that it would take away may be missing.
  return found.status === 'error' ? [{ check: 'dnswl', status: 'temperror', result: `temperror at ${found.zone}`, code: NOT_AUTHORIZED, weight: -(found.most ?? 0), text: '' }] : []
}

export function earlyTalkerOutcome(spokeEarly: boolean): CheckOutcome {
  return spokeEarly
    ? { check: 'early_talker', status: 'fail', result: 'spoke-first', code: OUT_OF_ORDER, text: 'You spoke before you were greeted (RFC 5321 section 4.3.1)', warnings: ['the client spoke before it was greeted'] }
    : { check: 'early_talker', status: 'pass', result: 'pass', code: OUT_OF_ORDER, text: '' }
}

export function rateOutcome(found: RateOutcome): CheckOutcome {
  if (found.status === 'within') return { check: 'rate', status: 'pass', result: 'within', code: NOT_AUTHORIZED, text: '' }
  const time = found.windowMs === undefined ? 'at once' : `in ${found.windowMs / 1000} s`
  return { check: 'rate', status: 'fail', result: `${found.what}-${found.scope}`, code: NOT_AUTHORIZED, text: `Too many ${found.what} from your ${found.scope}: at most ${found.most} ${time}; try again later` }
}

export function heloOutcome(found: HeloOutcome): CheckOutcome {
  const common = { check: 'helo', code: NOT_AUTHORIZED } as const
  switch (found.status) {
    case 'pass':
      return { ...common, status: 'pass', result: 'pass', text: '' }
    case 'fail':
      return { ...common, status: 'fail', result: found.result, text: `Say your own full name in HELO or EHLO: ${asciiText(found.cause)}`, warnings: [`HELO: ${found.cause}`] }
    case 'temperror':
      return { ...common, status: 'temperror', result: 'temperror', text: `Your name in HELO or EHLO could not be found: ${TRY_AGAIN}` }
  }
}

export function senderDomainOutcome(found: SenderDomainOutcome): CheckOutcome {
  const common = { check: 'sender_domain', code: [1, 8] } as const
  switch (found.status) {
    case 'pass':
      return { ...common, status: 'pass', result: 'pass', text: '' }
    case 'none':
      return { ...common, status: 'none', result: found.result, text: '' }
    case 'fail':
      return {
        // RFC 7505 §4.2 has a code for a sender whose domain takes no mail.
        ...common, ...(found.result === 'null-mx' ? { code: [7, 27] as const } : {}), status: 'fail', result: found.result,
        text: `Mail to your sender could not be answered: ${asciiText(found.cause)}`, warnings: [`${found.domain} takes no mail`],
      }
    case 'temperror':
      return { ...common, status: 'temperror', result: 'temperror', text: `The domain of your sender could not be found out: ${TRY_AGAIN}` }
  }
}

/** Replies are ASCII unless SMTPUTF8 was agreed on (RFC 6531 §3.7.4.2), and fit a line. */
export function asciiText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}
