/**
 * What guessing passwords costs: failures are counted by client address,
 * network (/24 of IPv4, /64 of IPv6) and account, in counters that all workers
 * share; from some on answers wait, and from more on there are none for a while.
 *
 * An account that has logged in from a network is known there. Its attempts
 * from such a network are counted by account and network, and by nothing else:
 * so strangers cannot lock an owner out by guessing, neither from elsewhere nor
 * from behind the same address translation, and whoever guesses from there has
 * the account's limit for that network.
 *
 * Where something has failed already, an attempt counts as failed while it is
 * under way, so that many at once are no more than many in turn. Where nothing
 * has, a program that opens its connections all at once is let in, up to five
 * times as many as may fail. A client on this machine or on a unix socket has
 * neither address nor network. Answers at once; no I/O, no timers; the clock is
 * that of the counters. Nothing throws.
 */
import type { SharedCounters } from '../reputation/rates-counters.ts'
import { addressKey, isLoopback, networkKey, parseIpAddress } from '../reputation/reverse-name.ts'
import type { GuardSettings } from './settings.ts'

export type GuardScope = 'address' | 'network' | 'account' | 'account in its network'

export interface GuardedParty {
  /** of the client */
  readonly address: string | undefined
  /** who says to log in, whether there is such an account or not; undefined: the mechanism does not tell us */
  readonly account: string | undefined
}

export type GuardEntry =
  | { readonly status: 'open'; readonly attempt: GuardedAttempt }
  | { readonly status: 'locked'; readonly scope: GuardScope }

export interface GuardedAttempt {
  /** how long its answer waits, whatever it is */
  readonly delayMs: number
  /** Each ends the attempt; only the first counts. */
  succeeded(account: string): void
  /** Returns what is locked from now on. */
  failed(): readonly GuardScope[]
  /** It came to no end: neither a success nor a failure. */
  dropped(): void
}

export interface Guard {
  enter(party: GuardedParty): GuardEntry
}

interface Limit {
  readonly scope: GuardScope
  readonly key: string
  readonly most: number
}

const FIRST_DELAY_MS = 1000
/** So many times as many as may fail may be under way at once, while none has failed. */
const BURST = 5
const MAX_ACCOUNT_CHARACTERS = 320

export function createGuard(settings: GuardSettings, counters: SharedCounters): Guard {
  const { windowMs, lockMs, knownMs, delayAfter, maxDelayMs } = settings
  /** Failures that no lock has answered yet: a lock-out that is over is over, though what led to it is still remembered. */
  const unanswered = (failed: number, { key, most }: Limit): number => Math.max(0, failed - most * counters.add(`login locks ${key}`, 0, windowMs))
  return {
    enter(party) {
      const limits = limitsOf(party, settings, counters)
      const locked = limits.find(({ key }) => counters.add(`login lock ${key}`, 0, lockMs) > 0)
      if (locked !== undefined) return { status: 'locked', scope: locked.scope }
      const begun: string[] = []
      let failures = 0
      let full: GuardScope | undefined
      for (const limit of limits) {
        const { scope, key, most } = limit
        const underWay = counters.begin(`login ${key}`)
        begun.push(`login ${key}`)
        const failed = counters.add(`login failure ${key}`, 0, windowMs)
        const others = failed > 0 ? underWay - 1 : Math.floor((underWay - 1) / BURST)
        if (unanswered(failed, limit) + others >= most) full ??= scope
        // Half of a network's limit is as far as all of an address's: its delay grows as slowly.
        failures = Math.max(failures, Math.floor(((failed + others) * settings.perAddress) / most))
      }
      const end = (): void => {
        for (const key of begun.splice(0)) counters.end(key)
      }
      if (full !== undefined) {
        end()
        return { status: 'locked', scope: full }
      }
      let open = true
      const ended = (): boolean => {
        const was = open
        open = false
        end()
        return !was
      }
      return {
        status: 'open',
        attempt: {
          delayMs: failures < delayAfter ? 0 : Math.min(maxDelayMs, FIRST_DELAY_MS * 2 ** Math.min(failures - delayAfter, 20)),
          succeeded(account) {
            if (ended()) return
            counters.add(knownKey(account, party.address), 1, knownMs)
          },
          failed() {
            if (ended()) return []
            const reached = limits.filter((limit) => unanswered(counters.add(`login failure ${limit.key}`, 1, windowMs), limit) >= limit.most)
            for (const { key } of reached) {
              counters.add(`login lock ${key}`, 1, lockMs)
              counters.add(`login locks ${key}`, 1, windowMs)
            }
            return reached.map(({ scope }) => scope)
          },
          dropped() {
            ended()
          },
        },
      }
    },
  }
}

function limitsOf({ address: text, account }: GuardedParty, settings: GuardSettings, counters: SharedCounters): readonly Limit[] {
  const name = account === undefined ? undefined : bounded(account)
  if (name !== undefined && counters.add(knownKey(name, text), 0, settings.knownMs) > 0) {
    return [{ scope: 'account in its network', key: `account ${name} in ${placeOf(text)}`, most: settings.perAccount }]
  }
  const parsed = text === undefined ? undefined : parseIpAddress(text)
  const address = parsed === undefined || isLoopback(parsed) ? undefined : parsed
  const limits: Limit[] = []
  if (address !== undefined) {
    limits.push({ scope: 'address', key: `address ${addressKey(address)}`, most: settings.perAddress })
    limits.push({ scope: 'network', key: `network ${networkKey(address)}`, most: settings.perNetwork })
  }
  if (name !== undefined) limits.push({ scope: 'account', key: `account ${name}`, most: settings.perAccount })
  return limits
}

function knownKey(account: string, address: string | undefined): string {
  return `login known ${bounded(account)} in ${placeOf(address)}`
}

/** The network, or `here` for this machine. */
function placeOf(text: string | undefined): string {
  const address = text === undefined ? undefined : parseIpAddress(text)
  return address === undefined || isLoopback(address) ? 'here' : networkKey(address)
}

function bounded(account: string): string {
  return account.toLowerCase().slice(0, MAX_ACCOUNT_CHARACTERS)
}
