/**
 * Why a reload cannot bind an address: because we ourselves hold it in another
 * width. `127.0.0.1:25` cannot be bound while `0.0.0.0:25` is, nor the other
 * way round, and the old one is closed only once everything new is open: a
 * reload that fails must leave everything as it was. So this change takes a
 * restart, and the operator is told so rather than sent to look for another
 * program. IPv4 and IPv6 never clash: our IPv6 sockets are of IPv6 alone.
 */
import { isIPv6 } from 'node:net'
import type { Settings, SocketAddress } from '../config/settings.ts'
import { describeAddress, type Addresses } from './service.ts'

type TcpAddress = Extract<SocketAddress, { kind: 'tcp' }>

const WILDCARDS = new Set(['0.0.0.0', '::'])

/** A sentence for each address that we stand in the way of ourselves. */
export function bindClashes(next: Settings, bound: Addresses): readonly string[] {
  const held = [...bound.values()].flat().filter(isTcp)
  const wanted = next.listeners.flatMap(({ listen }) => listen).filter(isTcp)
  return wanted.flatMap((address) => {
    if (held.some((other) => other.host === address.host && other.port === address.port)) return []
    const other = held.find((one) => overlap(one, address))
    if (other === undefined) return []
    const change = WILDCARDS.has(other.host) ? 'narrow' : 'widen'
    return [`${describeAddress(address)} is still bound by this Postern as ${describeAddress(other)}; restart to ${change} it`]
  })
}

function overlap(held: TcpAddress, wanted: TcpAddress): boolean {
  return held.port === wanted.port && isIPv6(held.host) === isIPv6(wanted.host) && (WILDCARDS.has(held.host) || WILDCARDS.has(wanted.host))
}

function isTcp(address: SocketAddress): address is TcpAddress {
  return address.kind === 'tcp'
}
