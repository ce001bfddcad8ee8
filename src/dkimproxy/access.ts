/**
 * Who may connect, as Net::Server has it: `allow` and `deny` are regular
 * expressions of the whole address, `cidr_allow` and `cidr_deny` networks. Where
 * any is given, a client must match one that allows and none that denies. Pure.
 */
import { networkMatcher, parseNetwork } from '../config/networks.ts'
import type { Given, Notice } from './given.ts'

export type Access = (address: string | undefined) => boolean

export interface AccessLists {
  readonly allow: readonly Given[]
  readonly deny: readonly Given[]
  readonly cidrAllow: readonly Given[]
  readonly cidrDeny: readonly Given[]
}

export function readAccess(lists: AccessLists): { readonly access: Access; readonly errors: readonly Notice[]; readonly warnings: readonly Notice[] } {
  const errors: Notice[] = []
  const allows = [...lists.allow.map((one) => pattern(one, errors)), networks(lists.cidrAllow, errors)]
  const denies = [...lists.deny.map((one) => pattern(one, errors)), networks(lists.cidrDeny, errors)]
  const all = [...lists.allow, ...lists.deny, ...lists.cidrAllow, ...lists.cidrDeny]
  const [first] = all
  if (first === undefined) return { access: () => true, errors, warnings: [] }
  const nobody = lists.allow.length + lists.cidrAllow.length === 0
  const warnings = nobody ? [{ place: first.place, text: `${first.name} without allow or cidr_allow lets nobody in, as Net::Server has it` }] : []
  return { access: (address) => allows.some((one) => one(address)) && !denies.some((one) => one(address)), errors, warnings }
}

function pattern({ name, value, place }: Given, errors: Notice[]): Access {
  try {
    const expression = new RegExp(`^(?:${value})$`)
    return (address) => expression.test(address ?? '')
  } catch {
    errors.push({ place, text: `${name} is ${JSON.stringify(value)}; allowed: a regular expression` })
    return () => false
  }
}

/** Several may stand in one value, as in a list of Perl's. */
function networks(given: readonly Given[], errors: Notice[]): Access {
  const list = given.flatMap(({ name, value, place }) => value.split(/[\s,]+/).filter((one) => one !== '').flatMap((one) => {
    const parsed = parseNetwork(one)
    if (parsed.status === 'network') return [parsed.text]
    errors.push({ place, text: `${name}: ${parsed.problem}; allowed: an address or a network such as 10.0.0.0/8` })
    return []
  }))
  return networkMatcher(list)
}
