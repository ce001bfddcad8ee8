/**
 * Counts the sessions of this process, in all and per client network (/24 of
 * IPv4, /64 of IPv6), against their bounds. Loopback and unix-socket clients
 * count in the whole but belong to no network: they are this machine.
 */
import type { Reply } from './reply.ts'
import * as replies from './reply-catalogue.ts'

export interface AdmissionLimits {
  readonly sessions: number
  readonly sessionsPerNetwork: number
}

export class Admission {
  limits: AdmissionLimits
  private total = 0
  /** refused, and not closed by their clients yet */
  private turnedAway = 0
  private readonly networks = new Map<string, number>()

  constructor(limits: AdmissionLimits) {
    this.limits = limits
  }

  /** A connection was accepted; undefined, or the refusal to close it with. Where it gives none, `leave` must follow once. */
  enter(): Reply | undefined {
    if (this.total >= this.limits.sessions) return replies.TOO_MANY_SESSIONS
    this.total++
    return undefined
  }

  /**
   * A refused connection: may it wait for its client to read why? It is no
   * session any more, so that clients that are refused keep nobody else out.
   * Where it may, `turnedAwayLeft` must follow once.
   */
  turnAway(): boolean {
    if (this.turnedAway >= this.limits.sessions) return false
    this.turnedAway++
    return true
  }

  turnedAwayLeft(): void {
    this.turnedAway--
  }

  /** Networks that have sessions. */
  get networkCount(): number {
    return this.networks.size
  }

  leave(): void {
    this.total--
  }

  /** The client is known; undefined, or the refusal. Where it gives none, `leaveNetwork` must follow once. */
  enterNetwork(address: string | undefined): Reply | undefined {
    const key = networkOf(address)
    if (key === undefined) return undefined
    const count = this.networks.get(key) ?? 0
    if (count >= this.limits.sessionsPerNetwork) return replies.TOO_MANY_FROM_NETWORK
    this.networks.set(key, count + 1)
    return undefined
  }

  leaveNetwork(address: string | undefined): void {
    const key = networkOf(address)
    if (key === undefined) return
    const count = (this.networks.get(key) ?? 0) - 1
    if (count > 0) this.networks.set(key, count)
    else this.networks.delete(key)
  }
}

/** The /24 or /64 an address belongs to; undefined for clients on this machine. */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || address === '::1' || address.startsWith('127.')) return undefined
  if (!address.includes(':')) return address.slice(0, address.lastIndexOf('.'))
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length
    while (groups.length < 8 - behind) groups.push('0')
  }
  return groups.slice(0, 4).join(':')
}
