/**
 * What authentication found of a message, as the policy sees it. Pure. Texts
 * are those of `outcomes-client.ts`.
 */
import type { DkimOutcome } from '../auth/dkim.ts'
import type { DmarcOutcome } from '../auth/dmarc.ts'
import type { SpfOutcome } from '../auth/spf.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import { asciiText } from './outcomes-client.ts'

/** RFC 7372 §3.2: SPF validation failed; §3.2 again: the check could not be done is 7.24 */
const SPF_FAILED = [7, 23] as const
const SPF_ERROR = [7, 24] as const
/** RFC 7372 §3.1: no passing DKIM signature found */
const NO_PASSING_DKIM = [7, 20] as const
/** RFC 3463; RFC 9989 asks for no code of its own */
const DMARC_FAILED = [7, 1] as const

export function spfOutcome(found: SpfOutcome, address: string, softfailWeight: number): CheckOutcome {
  const common = { check: 'spf', code: SPF_FAILED, result: found.status } as const
  switch (found.status) {
    case 'pass':
      return { ...common, status: 'pass', text: '' }
    case 'fail':
      return {
        ...common, status: 'fail',
        text: `${address} is not allowed to send mail from ${asciiText(found.domain)} (SPF)${found.explanation === undefined ? '' : `; ${asciiText(found.domain)} explains: ${asciiText(found.explanation)}`}`,
        warnings: [`${address} is not allowed to send mail from ${found.domain}`],
      }
    case 'softfail':
      return { ...common, status: 'fail', mild: true, weight: softfailWeight, text: '' }
    case 'temperror':
      return { ...common, status: 'temperror', code: SPF_ERROR, text: `SPF of ${asciiText(found.domain)} could not be found out: the DNS did not answer; try again later` }
    case 'neutral':
    case 'none':
    case 'permerror':
      return { ...common, status: 'none', text: '' }
  }
}

export function dkimOutcome(found: DkimOutcome): CheckOutcome {
  const common = { check: 'dkim', code: NO_PASSING_DKIM, result: found.status } as const
  switch (found.status) {
    case 'pass':
      return { ...common, status: 'pass', text: '' }
    case 'none':
      return { ...common, status: 'none', text: '' }
    case 'temperror':
      return { ...common, status: 'temperror', text: 'A DKIM key could not be found out: the DNS did not answer; try again later' }
    case 'fail':
    case 'neutral':
    case 'policy':
    case 'permerror':
      return { ...common, status: 'fail', text: 'No DKIM signature of the message is good', warnings: ['no DKIM signature of this message is good'] }
  }
}

/**
 * From cannot be read, so that nobody can say whose policy counts. Where DMARC
 * is honoured it is refused: else a forger had only to write it so.
 */
export function unreadableAuthor(cause: string): CheckOutcome {
  return {
    check: 'dmarc', status: 'fail', result: 'permerror', code: [6, 0], demand: 'reject',
    text: `The author of the message cannot be read: ${asciiText(cause)}`, warnings: [`From cannot be read: ${cause}`],
  }
}

/** What ARC has to say of a DMARC failure; undefined: nothing. */
export type Rescue = { readonly rescued: true; readonly sealer: string } | { readonly rescued: false; readonly uncertain: boolean } | undefined

export function dmarcOutcome(found: DmarcOutcome, rescue: Rescue): CheckOutcome {
  const common = { check: 'dmarc', code: DMARC_FAILED } as const
  switch (found.status) {
    case 'pass':
      return { ...common, status: 'pass', result: 'pass', text: '' }
    case 'none':
      return { ...common, status: 'none', result: 'none', text: '' }
    case 'fail':
      if (rescue?.rescued === true) return { ...common, status: 'none', result: `fail, but ${rescue.sealer} vouches for it (ARC)`, text: '' }
      return {
        ...common, status: 'fail', result: 'fail', demand: found.policy, ...(rescue?.uncertain === true && { uncertain: true }),
        text: `Mail from ${asciiText(found.domain)} needs SPF or DKIM of that domain, and this has neither (DMARC, policy ${found.policy})`,
        warnings: [`this message does not come from ${found.domain} (DMARC)`],
      }
    case 'temperror':
      // Whatever the rest would have said, the owner is known to ask for nothing.
      if (found.recordName !== null && found.policy === 'none') return { ...common, status: 'none', result: 'temperror', text: '' }
      return { ...common, status: 'temperror', result: 'temperror', text: `DMARC of ${asciiText(found.domain)} could not be found out: the DNS did not answer; try again later` }
    case 'permerror':
      return { ...common, status: 'fail', result: 'permerror', text: 'From names no author domain', warnings: ['From names no author domain'] }
  }
}
