/**
 * Whose message this is, as far as it is proved: the one address in From, where
 * its domain has authenticated it (RFC 9989 §3.2.10). Credit and history go by
 * this and by nothing else: everybody can write anybody's name into From.
 *
 * DMARC `pass` proves it. Where the domain has no policy, a signature or SPF of
 * the same organizational domain does (relaxed alignment). Nothing does where
 * DMARC fails, could not be found out (the owner may ask for more than we know),
 * or where From has several addresses or can be read in several ways. Pure.
 */
import { organizationalDomain } from './organizational-domain.ts'
import { plainAddress } from './uri-hash.ts'

export interface AuthorEvidence {
  /** all addresses in From */
  readonly from: readonly string[]
  /** of the author domain that fares worst; undefined where it was not evaluated */
  readonly dmarc: { readonly status: string; readonly domain: string } | undefined
  /** domains (d=) of signatures that pass, over the whole body */
  readonly dkim: readonly string[]
  /** the domain for which SPF passes */
  readonly spf: string | undefined
}

export interface AuthenticatedAuthor {
  /** lower case, A-labels */
  readonly address: string
  readonly domain: string
  /** the domain itself where it has no other */
  readonly organizationalDomain: string
}

export function authenticatedAuthor({ from, dmarc, dkim, spf }: AuthorEvidence): AuthenticatedAuthor | undefined {
  const [only, ...more] = from
  const address = only === undefined || more.length > 0 ? undefined : plainAddress(only)
  if (address === undefined) return undefined
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const organization = organizationalDomain(domain) ?? domain
  const author = { address, domain, organizationalDomain: organization }
  switch (dmarc?.status) {
    // Whoever reads From in another way than DMARC was asked about has not proved that reading.
    case 'pass': return dmarc.domain === domain ? author : undefined
    case undefined:
    case 'none': {
      const aligned = [...dkim, ...(spf === undefined ? [] : [spf])].map((one) => one.toLowerCase().replace(/\.$/, ''))
      return aligned.some((one) => one === domain || organizationalDomain(one) === organization) ? author : undefined
    }
    default: return undefined
  }
}
