/**
 * What the name in HELO or EHLO is worth (RFC 5321 §4.1.1.1, §4.1.4).
 *
 * `pass`: an address literal that is the client's, or a name that the DNS has
 * as a host or a mail domain; `confirmed` where the name leads to the client.
 * `fail`, the first of these that holds: `missing`, `malformed` (underscores,
 * which many hosts have, are let through), `bare-address` (no brackets),
 * `own-address`, `own-name` (ours, said by somebody else), `foreign-literal`,
 * `single-label`, `unresolvable`. `temperror`: the DNS did not say whether the
 * name resolves. Nothing throws. At most three look-ups, in two steps, beside those
 * that cost nothing because their answer is known.
 *
 * A client on this machine, or with an address of ours, may call itself what we
 * are called; so may one on a unix socket, which has no address.
 */
import { causeText, strangerText } from '../auth/stranger-text.ts'
import type { Failure, Lookup, Resolver } from '../dns/resolver.ts'
import { parseDomain } from '../smtp/address.ts'
import { failureCause } from './look-ups.ts'
import { isLoopback, parseIpAddress, sameAddress, type IpAddress } from './reverse-name.ts'

export interface HeloInput {
  /** as the client said it; null where it said nothing */
  readonly name: string | null
  /** undefined: a unix socket */
  readonly address: string | undefined
  readonly hostname: string
  /** those we take mail for */
  readonly domains: readonly string[]
  /** those we listen on, as far as they are known */
  readonly ownAddresses?: readonly string[]
}

export type HeloFailure = 'missing' | 'malformed' | 'bare-address' | 'own-address' | 'own-name' | 'foreign-literal' | 'single-label' | 'unresolvable'

export type HeloOutcome =
  /** `confirmed`: one of the name's addresses is the client's, no: none is; temperror: they could not be had */
  | { readonly status: 'pass'; readonly name: string; readonly form: 'literal' | 'name'; readonly confirmed: 'yes' | 'no' | 'temperror' }
  | { readonly status: 'fail'; readonly name: string; readonly result: HeloFailure; readonly cause: string }
  | { readonly status: 'temperror'; readonly name: string; readonly cause: string }

const MAX_SHOWN_CHARACTERS = 255

export async function checkHelo(input: HeloInput, resolver: Resolver): Promise<HeloOutcome> {
  const said = input.name ?? ''
  const name = strangerText(said, MAX_SHOWN_CHARACTERS)
  const fail = (result: HeloFailure, cause: string): HeloOutcome => ({ status: 'fail', name, result, cause: causeText(cause) })
  if (said === '') return fail('missing', 'the client gave no name')
  const domain = parseDomain(said)
  const client = input.address === undefined ? undefined : parseIpAddress(input.address)
  // `2001:db8::1` is no domain, `192.0.2.1` reads like one.
  const bare = parseIpAddress(said)
  const literal = domain?.startsWith('[') === true ? parseIpAddress(domain.slice(1, -1).replace(/^ipv6:/, '')) : undefined
  const foreign = client !== undefined && !isOurs(client, input)
  if (foreign && isOwnAddress(literal ?? bare, client, input)) return fail('own-address', `${name} is our own address`)
  if (bare !== undefined) return fail('bare-address', `${name} is an address without brackets`)
  if (domain === null) return fail('malformed', `${name} is neither a domain name nor an address literal`)
  if (literal !== undefined) {
    if (client === undefined) return { status: 'pass', name: domain, form: 'literal', confirmed: 'no' }
    // This machine has several addresses, and may give any of them.
    if (sameAddress(literal, client) || (!foreign && isOwnAddress(literal, client, input))) return { status: 'pass', name: domain, form: 'literal', confirmed: 'yes' }
    return fail('foreign-literal', `${name} is not the client's address`)
  }
  if (foreign && [input.hostname, ...input.domains].some((own) => own.toLowerCase() === domain)) return fail('own-name', `${name} is our own name`)
  if (!domain.includes('.')) return fail('single-label', `${name} is not a fully-qualified name`)
  return resolve(domain, client, resolver)
}

function isOurs(client: IpAddress, { ownAddresses = [] }: HeloInput): boolean {
  return isLoopback(client) || ownAddresses.some((own) => sameAddress(parseIpAddress(own), client))
}

/** Another than the client's: one of ours, or of loopback, which is nobody's but ours. */
function isOwnAddress(said: IpAddress | undefined, client: IpAddress, { ownAddresses = [] }: HeloInput): boolean {
  if (said === undefined || sameAddress(said, client)) return false
  return isLoopback(said) || ownAddresses.some((own) => sameAddress(parseIpAddress(own), said))
}

async function resolve(name: string, client: IpAddress | undefined, resolver: Resolver): Promise<HeloOutcome> {
  const own = client?.family === 6 ? 'AAAA' : 'A'
  // Mostly it is the name that the client has in the DNS, whose address was asked for: nothing of the other family would change that.
  if (leadsTo(resolver.known?.(name, own), client) && leadsTo(await resolver.lookup(name, own), client)) return { status: 'pass', name, form: 'name', confirmed: 'yes' }
  const [four, six] = await Promise.all([resolver.lookup(name, 'A'), resolver.lookup(name, 'AAAA')])
  const addresses = [...(four.status === 'records' ? four.records : []), ...(six.status === 'records' ? six.records : [])]
  const failures: { readonly question: string; readonly failure: Failure }[] = []
  if (isFailure(four)) failures.push({ question: `A of ${name}`, failure: four })
  if (isFailure(six)) failures.push({ question: `AAAA of ${name}`, failure: six })
  const ofFamily = client?.family === 6 ? six : four
  const confirmed = addresses.some((one) => sameAddress(parseIpAddress(one), client)) ? 'yes' : isFailure(ofFamily) ? 'temperror' : 'no'
  if (addresses.length > 0) return { status: 'pass', name, form: 'name', confirmed }
  if (failures.length === 0 && four.status === 'nxdomain') return { status: 'fail', name, result: 'unresolvable', cause: causeText(`${name} does not exist`) }
  const exchanges = await resolver.lookup(name, 'MX')
  if (exchanges.status === 'records' && exchanges.records.some(({ exchange }) => exchange !== '')) return { status: 'pass', name, form: 'name', confirmed }
  if (isFailure(exchanges)) failures.push({ question: `MX of ${name}`, failure: exchanges })
  const [first] = failures
  if (first !== undefined) return { status: 'temperror', name, cause: causeText(failureCause(first.question, first.failure)) }
  return { status: 'fail', name, result: 'unresolvable', cause: causeText(`${name} has neither A nor AAAA nor MX records`) }
}

function leadsTo(found: Lookup<'A' | 'AAAA'> | undefined, client: IpAddress | undefined): boolean {
  return found?.status === 'records' && found.records.some((one) => sameAddress(parseIpAddress(one), client))
}

function isFailure(found: { readonly status: string }): found is Failure {
  return found.status === 'servfail' || found.status === 'timeout'
}
