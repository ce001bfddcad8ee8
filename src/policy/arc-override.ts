/**
 * Whether ARC rescues a message that fails DMARC: a local policy override as
 * RFC 8617 §7.2.1 describes it, and RFC 9989 §5.4 leaves it to the receiver.
 * Pure; nothing throws.
 *
 * Rescued where the chain passes, every sealer from the newest down to the one
 * that is relied on is trusted, and what that one has found and sealed in its
 * ARC-Authentication-Results speaks for each author domain: `dmarc=pass` for
 * it, or, where it says nothing of DMARC, an SPF or DKIM pass of the domain
 * itself (whether another would be aligned was for the sealer to say). What a
 * sealer who is not trusted says counts for nothing, nor does what stands below
 * it: it could have changed all of it (RFC 8617 §9.2).
 *
 * `uncertain`: the chain could not be checked for a reason that may go away, so
 * that a refusal for good would be too early.
 */

/** As much of the result of ARC validation as is needed here. */
export interface ArcEvidence {
  readonly status: 'none' | 'pass' | 'fail' | 'temperror'
  /** of a chain that passes, newest first */
  readonly hops: readonly ArcEvidenceHop[]
  /** why it does not pass */
  readonly cause: string
}

export interface ArcEvidenceHop {
  readonly instance: number
  /** d= of its seal */
  readonly sealer: string
  readonly results: readonly {
    /** spf, dkim, dmarc … */
    readonly method: string
    readonly result: string
    /** by `ptype.property` */
    readonly properties: Readonly<Record<string, string>>
  }[]
}

export interface ArcOverrideInput {
  readonly arc: ArcEvidence
  /** a name, or with a leading dot all below it too; A-labels */
  readonly trustedSealers: readonly string[]
  /** the author domains that are to be rescued, all of them; lower case, A-labels */
  readonly fromDomains: readonly string[]
}

export type ArcOverride =
  | {
      readonly rescued: true
      /** who is relied on */
      readonly sealer: string
      readonly instance: number
      /** one sentence, for the trace */
      readonly why: string
    }
  | { readonly rescued: false; readonly uncertain: boolean; readonly why: string }

/** A sentence names no more of a stranger's words than this. */
const MAX_NAME_CHARACTERS = 253

export function arcOverride({ arc, trustedSealers, fromDomains }: ArcOverrideInput): ArcOverride {
  switch (arc.status) {
    case 'none':
      return notRescued('The message has no ARC chain.')
    case 'fail':
      return notRescued(`The ARC chain does not pass${reason(arc.cause)}.`)
    case 'temperror':
      return { ...notRescued(`The ARC chain could not be checked${reason(arc.cause)}.`), uncertain: true }
    case 'pass':
      return fromDomains.length === 0 ? notRescued('The message names no author domain that ARC could speak for.') : byHops(arc.hops, trustedSealers.map(plainName), fromDomains.map(plainName))
  }
}

function byHops(hops: readonly ArcEvidenceHop[], trusted: readonly string[], domains: readonly string[]): ArcOverride {
  const trustedSoFar: string[] = []
  for (const hop of hops) {
    const sealer = plainName(hop.sealer)
    if (!trusted.some((one) => covers(one, sealer))) {
      return notRescued(trustedSoFar.length === 0
        ? `The newest ARC sealer, ${shown(sealer)} (i=${hop.instance}), is not trusted.`
        : `${listed(trustedSoFar)} found nothing that speaks for ${listed(domains)}, and the sealer before, ${shown(sealer)} (i=${hop.instance}), is not trusted.`)
    }
    trustedSoFar.push(sealer)
    const proofs = domains.map((domain) => proofOf(hop, domain))
    if (proofs.every((proof) => proof !== undefined)) {
      return { rescued: true, sealer, instance: hop.instance, why: `The trusted ARC sealer ${shown(sealer)} (i=${hop.instance}) found ${[...new Set(proofs)].join(' and ')}.` }
    }
  }
  return notRescued(trustedSoFar.length === 0 ? 'The ARC chain has no hop.' : `No trusted ARC sealer (${listed(trustedSoFar)}) found anything that speaks for ${listed(domains)}.`)
}

/** What this hop has found that speaks for the domain. */
function proofOf({ results }: ArcEvidenceHop, domain: string): string | undefined {
  const dmarc = results.filter(({ method }) => method === 'dmarc')
  if (dmarc.length > 0) {
    const passes = dmarc.every(({ result }) => result === 'pass') && dmarc.some(({ properties }) => domainOf(properties['header.from']) === domain)
    return passes ? `dmarc=pass for ${shown(domain)}` : undefined
  }
  const proof = results.find(({ method, result, properties }) => result === 'pass' && identityOf(method, properties) === domain)
  return proof === undefined ? undefined : `${proof.method}=pass for ${shown(domain)}`
}

/** The domain that a method has authenticated (RFC 8601 §2.7.1 and §2.7.2). */
function identityOf(method: string, properties: Readonly<Record<string, string>>): string | undefined {
  switch (method) {
    case 'dkim':
      return domainOf(properties['header.d'] ?? properties['header.i'])
    case 'spf':
      // The name in HELO counts only where the reverse-path is null (RFC 9989 §4.4.2).
      return domainOf(properties['smtp.mailfrom']) ?? domainOf(properties['smtp.helo'])
    default:
      return undefined
  }
}

/** Properties hold an address or a domain. */
function domainOf(value: string | undefined): string | undefined {
  const name = plainName((value ?? '').slice((value ?? '').lastIndexOf('@') + 1).replace(/[<>"\s]/g, ''))
  return name === '' ? undefined : name
}

function covers(trusted: string, sealer: string): boolean {
  if (trusted === '' || trusted === '.' || sealer === '') return false
  return trusted.startsWith('.') ? sealer.endsWith(trusted) || sealer === trusted.slice(1) : sealer === trusted
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function notRescued(why: string): { readonly rescued: false; readonly uncertain: boolean; readonly why: string } {
  return { rescued: false, uncertain: false, why }
}

function reason(cause: string): string {
  return cause === '' ? '' : `: ${cause.replace(/\.$/, '')}`
}

const MAX_LISTED = 3

function listed(names: readonly string[]): string {
  const some = names.slice(0, MAX_LISTED).map(shown)
  return names.length > MAX_LISTED ? `${some.join(', ')} and ${names.length - MAX_LISTED} more` : some.join(' and ')
}

function shown(name: string): string {
  return name.slice(0, MAX_NAME_CHARACTERS).replace(/[^\x21-\x7e]/g, '?')
}
