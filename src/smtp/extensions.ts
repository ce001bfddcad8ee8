/**
 * Which extensions we may offer a client, given what the next hops behind us
 * can do (RFC 5321 §2.2): an extension that has to be carried on is offered
 * only where every hop that the message may go to carries it.
 *
 * A hop that was never reached is taken to carry everything. Were it taken to
 * carry nothing, a client whose message needs more would return it to its
 * sender for good, because of a hop that is down, and maybe not even the
 * message's own. What a hop turns out to lack is a 451 when it is asked.
 */
import type { Capabilities } from './capabilities.ts'

/** Extensions whose meaning goes beyond one hop, each with what the next hop needs for it. */
const CARRIED: readonly (readonly [offer: string, needs: readonly string[]])[] = [
  ['8BITMIME', ['8BITMIME']],
  ['SMTPUTF8', ['SMTPUTF8']],
  ['DSN', ['DSN']],
  ['BINARYMIME', ['BINARYMIME', 'CHUNKING']],
  ['REQUIRETLS', ['REQUIRETLS']],
]

/** @param hops what each hop can do; undefined for one that was never reached */
export function extensionsBehind(hops: readonly (Capabilities | undefined)[]): ReadonlyMap<string, string> {
  const offer = new Map<string, string>()
  // RFC 2034 §4: who offers it has a code in every reply, those of the next hop included.
  if (hops.every((hop) => hop?.has('ENHANCEDSTATUSCODES') ?? true)) offer.set('ENHANCEDSTATUSCODES', '')
  for (const [keyword, needs] of CARRIED) {
    if (hops.every((hop) => hop === undefined || needs.every((n) => hop.has(n)))) offer.set(keyword, '')
  }
  // Which hop it will be is not known yet: the largest, so that none is refused what it would take. The hop itself holds to its own.
  const sizes = hops.map(sizeOf)
  offer.set('SIZE', sizes.includes(0) ? '0' : String(Math.max(...sizes)))
  return offer
}

/** RFC 1870 §3: 0 means no fixed maximum. */
function sizeOf(hop: Capabilities | undefined): number {
  const value = hop?.get('SIZE') ?? ''
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : 0
}
