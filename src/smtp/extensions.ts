/**
 * Which extensions we may offer a client, given what the next hops behind us
 * can do (RFC 5321 §2.2): an extension that has to be carried on is offered
 * only where every hop that the message may go to carries it.
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

/** @param hops what each hop can do; undefined for one that was never reached: nothing is promised for it */
export function extensionsBehind(hops: readonly (Capabilities | undefined)[]): ReadonlyMap<string, string> {
  const offer = new Map<string, string>()
  // RFC 2034 §4: who offers it has a code in every reply, those of the next hop included.
  if (hops.every((hop) => hop?.has('ENHANCEDSTATUSCODES') ?? true)) offer.set('ENHANCEDSTATUSCODES', '')
  for (const [keyword, needs] of CARRIED) {
    if (hops.every((hop) => hop !== undefined && needs.every((n) => hop.has(n)))) offer.set(keyword, '')
  }
  const sizes = hops.map((hop) => Number(hop?.get('SIZE') ?? 0)).filter((size) => size > 0)
  // RFC 1870 §3: 0 means no fixed maximum
  offer.set('SIZE', String(sizes.length === 0 ? 0 : Math.min(...sizes)))
  return offer
}
