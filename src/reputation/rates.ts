/**
 * How much comes from one client address, one network (/24 of IPv4, /64 of
 * IPv6) and one sender: connections, messages and recipients in a time, and
 * sessions and transactions at once. `exceeded` names the first limit that is.
 *
 * What is refused is not counted: who keeps trying gets in as soon as the time
 * has passed. Counters are handed in, and shared by all workers. Nothing throws.
 *
 * A sender who is not authenticated is counted together with the network, or a
 * stranger could use up another's limit by taking their name. The null
 * reverse-path is no sender. A client on this machine or on a unix socket has
 * neither address nor network: it is many clients behind one.
 */
import type { SharedCounters } from './rates-counters.ts'
import { addressKey, isLoopback, networkKey, parseIpAddress } from './reverse-name.ts'

export interface RateLimit {
  readonly most: number
  readonly windowMs: number
}

export type RateScope = 'address' | 'network' | 'sender'
export type RateCounted = 'connections' | 'messages' | 'recipients'
export type RateUnderWay = 'sessions' | 'transactions'

/** What has no limit is not counted. */
export interface RateSettings extends Partial<Readonly<Record<RateCounted, Partial<Readonly<Record<RateScope, RateLimit>>>>>> {
  /** at once */
  readonly sessions?: Partial<Readonly<Record<RateScope, number>>>
  readonly transactions?: Partial<Readonly<Record<RateScope, number>>>
}

export interface RateParty {
  readonly address: string | undefined
  /** undefined or null: there is none, or none yet */
  readonly sender?: {
    /** the user who has logged in, or the reverse-path */
    readonly identity: string
    /** by AUTH, or SPF has passed for it */
    readonly authenticated: boolean
  } | null
}

export type RateOutcome =
  | { readonly status: 'within' }
  | {
      readonly status: 'exceeded'
      readonly what: RateCounted | RateUnderWay
      readonly scope: RateScope
      readonly most: number
      /** with this one */
      readonly count: number
      /** of a rate */
      readonly windowMs?: number
    }

export interface Rates {
  /** @param amount 1 */
  count(what: RateCounted, party: RateParty, amount?: number): RateOutcome
  /** Where it is `exceeded`, nothing was begun. `end` may be called several times, and ends once. */
  begin(what: RateUnderWay, party: RateParty): { readonly outcome: RateOutcome; end(): void }
}

/** An address of mail has at most 320; what is longer is cut. */
const MAX_IDENTITY_CHARACTERS = 320
const WITHIN: RateOutcome = { status: 'within' }
const SCOPES: readonly RateScope[] = ['address', 'network', 'sender']

export function createRates(settings: RateSettings, counters: SharedCounters): Rates {
  return {
    count(what, party, amount = 1) {
      const limits = keysOf(what, settings[what], party)
      for (const { scope, limit: { most, windowMs }, key } of limits) {
        const count = counters.add(key, 0, windowMs) + amount
        if (count > most) return { status: 'exceeded', what, scope, most, count, windowMs }
      }
      for (const { limit, key } of limits) counters.add(key, amount, limit.windowMs)
      return WITHIN
    },
    begin(what, party) {
      const begun: string[] = []
      const end = (): void => {
        for (const key of begun.splice(0)) counters.end(key)
      }
      for (const { scope, limit: most, key } of keysOf(what, settings[what], party)) {
        begun.push(key)
        const count = counters.begin(key)
        if (count <= most) continue
        end()
        return { outcome: { status: 'exceeded', what, scope, most, count }, end }
      }
      return { outcome: WITHIN, end }
    },
  }
}

interface Limited<L> {
  readonly scope: RateScope
  readonly limit: L
  readonly key: string
}

function keysOf<L>(what: string, limits: Partial<Readonly<Record<RateScope, L>>> | undefined, party: RateParty): readonly Limited<L>[] {
  if (limits === undefined) return []
  return SCOPES.flatMap((scope): Limited<L>[] => {
    const limit = limits[scope]
    const id = limit === undefined ? undefined : idOf(scope, party)
    return limit === undefined || id === undefined ? [] : [{ scope, limit, key: `${what} ${scope} ${id}` }]
  })
}

function idOf(scope: RateScope, { address: text, sender }: RateParty): string | undefined {
  const parsed = text === undefined ? undefined : parseIpAddress(text)
  const address = parsed === undefined || isLoopback(parsed) ? undefined : parsed
  switch (scope) {
    case 'address': return address && addressKey(address)
    case 'network': return address && networkKey(address)
    case 'sender': {
      if (sender === undefined || sender === null || sender.identity === '') return undefined
      const identity = sender.identity.toLowerCase().slice(0, MAX_IDENTITY_CHARACTERS)
      return sender.authenticated ? `= ${identity}` : `${address === undefined ? 'here' : networkKey(address)} ${identity}`
    }
  }
}
