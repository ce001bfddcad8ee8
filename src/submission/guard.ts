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
 * has, a program that opens its connections all at once is let in, up to twice
 * as many as may fail. What was begun without a proof counts for nobody's account. A client on this machine or on a unix socket has
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
  /** Its client has gone: it has failed, and yet keeps its place until it is ended. */
  abandoned(): readonly GuardScope[]
  /** what is locked by now, if others have failed since */
  locked(): GuardScope | undefined
}

/** One who has named itself and proven nothing yet. */
export type GuardDialogue =
  | { readonly status: 'open'; readonly end: () => void; readonly locked: () => GuardScope | undefined }
  | { readonly status: 'locked'; readonly scope: GuardScope }

export interface Guard {
  /** Credentials have been sent, and are looked at now. */
  enter(party: GuardedParty): GuardEntry
  /** They will be. It has a place of the address', and takes none of the account's. */
  converse(party: GuardedParty): GuardDialogue
}

interface Limit {
  readonly scope: GuardScope
  readonly key: string
  readonly most: number
}

const FIRST_DELAY_MS = 1000
/** So many times as many as may fail may be under way at once, while none has failed. */
const BURST = 2
/** So many times as many as may fail may have named themselves, and not more. */
const DIALOGUES = 5
const MAX_ACCOUNT_CHARACTERS = 320

export function createGuard(settings: GuardSettings, counters: SharedCounters): Guard {
  const ledger = new Ledger(settings, counters)
  return {
    converse: (party) => converse(ledger, party),
    enter: (party) => enter(ledger, party),
  }
}

/** What has failed, and what is locked. */
class Ledger {
  readonly settings: GuardSettings
  readonly counters: SharedCounters

  constructor(settings: GuardSettings, counters: SharedCounters) {
    this.settings = settings
    this.counters = counters
  }

  locked(limits: readonly Limit[]): GuardScope | undefined {
    return limits.find(({ key }) => this.counters.add(`login lock ${key}`, 0, this.settings.lockMs) > 0)?.scope
  }

  /** Failures that no lock has answered yet: a lock-out that is over is over, though what led to it is still remembered. */
  unanswered(failed: number, { key, most }: Limit): number {
    return Math.max(0, failed - most * this.counters.add(`login locks ${key}`, 0, this.settings.windowMs))
  }

  /** Returns what is locked from now on. */
  fail(limits: readonly Limit[]): readonly GuardScope[] {
    const { windowMs, lockMs } = this.settings
    const reached = limits.filter((limit) => this.unanswered(this.counters.add(`login failure ${limit.key}`, 1, windowMs), limit) >= limit.most)
    for (const { key } of reached) {
      this.counters.add(`login lock ${key}`, 1, lockMs)
      this.counters.add(`login locks ${key}`, 1, windowMs)
    }
    return reached.map(({ scope }) => scope)
  }
}

function converse(ledger: Ledger, party: GuardedParty): GuardDialogue {
  const { settings, counters } = ledger
  const limits = limitsOf(party, settings, counters)
  const scope = ledger.locked(limits)
  if (scope !== undefined) return { status: 'locked', scope }
  const address = strangerOf(party.address)
  const key = address === undefined ? undefined : `login dialogue ${addressKey(address)}`
  let begun = key !== undefined
  const end = (): void => {
    if (begun && key !== undefined) counters.end(key)
    begun = false
  }
  if (key !== undefined && counters.begin(key) > settings.perAddress * DIALOGUES) {
    end()
    return { status: 'locked', scope: 'address' }
  }
  return { status: 'open', end, locked: () => ledger.locked(limits) }
}

function enter(ledger: Ledger, party: GuardedParty): GuardEntry {
  const { settings, counters } = ledger
  const limits = limitsOf(party, settings, counters)
  const locked = ledger.locked(limits)
  if (locked !== undefined) return { status: 'locked', scope: locked }
  const begun: string[] = []
  const end = (): void => {
    for (const key of begun.splice(0)) counters.end(key)
  }
  let failures = 0
  let full: GuardScope | undefined
  for (const limit of limits) {
    const { scope, key, most } = limit
    const underWay = counters.begin(`login ${key}`)
    begun.push(`login ${key}`)
    const failed = counters.add(`login failure ${key}`, 0, settings.windowMs)
    const others = failed > 0 ? underWay - 1 : Math.floor((underWay - 1) / BURST)
    if (ledger.unanswered(failed, limit) + others >= most) full ??= scope
    // Half of a network's limit is as far as all of an address's: its delay grows as slowly.
    failures = Math.max(failures, Math.floor(((failed + others) * settings.perAddress) / most))
  }
  if (full !== undefined) {
    end()
    return { status: 'locked', scope: full }
  }
  return { status: 'open', attempt: attemptOf(ledger, { party, limits, delayMs: delayOf(settings, failures), end }) }
}

function delayOf({ delayAfter, maxDelayMs }: GuardSettings, failures: number): number {
  return failures < delayAfter ? 0 : Math.min(maxDelayMs, FIRST_DELAY_MS * 2 ** Math.min(failures - delayAfter, 20))
}

function attemptOf(ledger: Ledger, { party, limits, delayMs, end }: { readonly party: GuardedParty; readonly limits: readonly Limit[]; readonly delayMs: number; readonly end: () => void }): GuardedAttempt {
  let counted = false
  const first = (): boolean => {
    const was = counted
    counted = true
    return !was
  }
  const count = (): readonly GuardScope[] => (first() ? ledger.fail(limits) : [])
  return {
    delayMs,
    succeeded(account) {
      end()
      if (first()) ledger.counters.add(knownKey(account, party.address), 1, ledger.settings.knownMs)
    },
    failed() {
      end()
      return count()
    },
    dropped() {
      end()
      first()
    },
    abandoned: count,
    locked: () => ledger.locked(limits),
  }
}

function limitsOf({ address: text, account }: GuardedParty, settings: GuardSettings, counters: SharedCounters): readonly Limit[] {
  const name = account === undefined ? undefined : bounded(account)
  if (name !== undefined && counters.add(knownKey(name, text), 0, settings.knownMs) > 0) {
    return [{ scope: 'account in its network', key: `account ${name} in ${placeOf(text)}`, most: settings.perAccount }]
  }
  const address = strangerOf(text)
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
export function placeOf(text: string | undefined): string {
  const address = strangerOf(text)
  return address === undefined ? 'here' : networkKey(address)
}

/** Undefined for this machine, which is never locked. */
function strangerOf(text: string | undefined): ReturnType<typeof parseIpAddress> | undefined {
  const address = text === undefined ? undefined : parseIpAddress(text)
  return address === undefined || isLoopback(address) ? undefined : address
}

function bounded(account: string): string {
  return account.toLowerCase().slice(0, MAX_ACCOUNT_CHARACTERS)
}
