/**
 * Compares socket addresses of listeners and hops: which cannot be bound side
 * by side, and which hop leads back into Postern itself (a mail loop).
 */
import { isIP } from 'node:net'
import type { SocketAddress } from './settings.ts'
import { networkMatcher } from './networks.ts'

const isLoopbackAddress = networkMatcher(['127.0.0.0/8', '::1'])

/** Whether two listeners cannot have these addresses at once. Each family listens by itself. */
export function collide(a: SocketAddress, b: SocketAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path
  if (a.port !== b.port || a.port === 0 || family(a.host) !== family(b.host)) return false
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host)
}

/** What the machine answers to: its own addresses, and its names. */
export interface Self {
  readonly addresses: readonly string[]
  readonly names: readonly string[]
}

/** Whether a connection to `hop` arrives at `listener`. A name of elsewhere is not resolved. */
export function leadsTo(hop: SocketAddress, listener: SocketAddress, self: Self): boolean {
  if (hop.kind === 'unix' || listener.kind === 'unix') return hop.kind === 'unix' && listener.kind === 'unix' && hop.path === listener.path
  if (hop.port !== listener.port) return false
  return hostAddresses(hop.host, self).some((address) => {
    if (address === listener.host) return true
    return isWildcard(listener.host) && family(address) === family(listener.host) && isOwn(address, self)
  })
}

function hostAddresses(host: string, self: Self): readonly string[] {
  if (isIP(host) !== 0) return [host]
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1']
  return self.names.includes(host) ? ['127.0.0.1', '::1', ...self.addresses] : []
}

function isOwn(address: string, self: Self): boolean {
  return isLoopbackAddress(address) || self.addresses.includes(address)
}

/** A hop on this very machine, which needs no TLS. */
export function isLoopback(address: SocketAddress): boolean {
  if (address.kind === 'unix') return true
  return isLoopbackAddress(address.host) || address.host === 'localhost' || address.host.endsWith('.localhost')
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function family(host: string): number {
  return isIP(host)
}
